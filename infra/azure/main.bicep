// A flyweight model as an Azure Function on the Flex Consumption plan.
// No keys anywhere: the app reads its package and writes its telemetry as its own managed identity.
// main.json says the same as an ARM template; it is kept by hand, and a test holds the two together.

@description('The function app, which also names what it needs; unique in Azure, because it is part of the URL.')
@minLength(4)
@maxLength(40)
param name string = 'flyweight-${uniqueString(resourceGroup().id)}'

@description('Where everything lies.')
param location string = resourceGroup().location

@description('Python of the worker. Build for the same one: flyweight build azure --python VERSION.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Memory of an instance in MB; CPU comes in proportion.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The most instances there may be.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are kept warm, and paid for.')
@minValue(0)
@maxValue(1000)
param alwaysReadyInstances int = 0

@description('How long logs and telemetry are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Where the model lies in the container of models, as penguins@prod; empty: the model is in the package.')
param model string = ''

@description('A Service Bus queue to make, whose messages are scored; empty: none.')
param serviceBusQueue string = ''

@description('Makes containers for files to score and their answers. Score as they land: see subscribe.')
param scoreFiles bool = false

@description('With scoreFiles, once the code is published: Event Grid tells the function of each file. Azure wants the function first.')
param subscribe bool = false

@description('Who is told by mail when requests fail; empty: nobody.')
param alertEmail string = ''

var storageName = 'fly${uniqueString(resourceGroup().id, name)}'
var packages = 'packages'
var dataName = 'data${uniqueString(resourceGroup().id, name)}'
var models = 'models'
var files = 'files'
var answers = 'answers'
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageBlobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var serviceBusDataReceiver = '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: name
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logRetentionDays
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: logs.id
    DisableLocalAuth: true
  }
}

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: storageName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: storage
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: packages
  properties: {
    publicAccess: 'None'
  }
}

// The role that the Functions host asks for: its package, its locks and the function keys are blobs of this account.
resource storageRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource insightsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Models and files lie apart from the host's own account, on which the function's identity has every right.
resource data 'Microsoft.Storage/storageAccounts@2023-05-01' = if (!empty(model) || scoreFiles) {
  name: dataName
  location: location
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource dataBlobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = if (!empty(model) || scoreFiles) {
  parent: data
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource modelContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (!empty(model)) {
  parent: dataBlobs
  name: models
  properties: {
    publicAccess: 'None'
  }
}

resource fileContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (scoreFiles) {
  parent: dataBlobs
  name: files
  properties: {
    publicAccess: 'None'
  }
}

resource answerContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = if (scoreFiles) {
  parent: dataBlobs
  name: answers
  properties: {
    publicAccess: 'None'
  }
}

resource modelRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(model)) {
  scope: modelContainer
  name: guid(modelContainer.id, identity.id, storageBlobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataReader)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource fileRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (scoreFiles) {
  scope: fileContainer
  name: guid(fileContainer.id, identity.id, storageBlobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataReader)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Answers are written in parts and joined, which are read, listed and deleted.
resource answerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (scoreFiles) {
  scope: answerContainer
  name: guid(answerContainer.id, identity.id, storageBlobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource bus 'Microsoft.ServiceBus/namespaces@2021-11-01' = if (!empty(serviceBusQueue)) {
  name: name
  location: location
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2021-11-01' = if (!empty(serviceBusQueue)) {
  parent: bus
  name: serviceBusQueue
  properties: {
    maxDeliveryCount: 5
    lockDuration: 'PT5M'
    deadLetteringOnMessageExpiration: true
  }
}

resource queueRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(serviceBusQueue)) {
  scope: queue
  name: guid(queue.id, identity.id, serviceBusDataReceiver)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusDataReceiver)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Flex Consumption has no deployment slots: a canary is FLYWEIGHT_CANARY, or a second app under another name.
resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packages}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [
          {
            name: 'http'
            instanceCount: alwaysReadyInstances
          }
        ] : []
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
      appSettings: [
        {
          name: 'AzureWebJobsDisableHomepage' // '/' is ours: it predicts
          value: 'true'
        }
        {
          name: 'AzureWebJobsStorage__accountName'
          value: storage.name
        }
        {
          name: 'AzureWebJobsStorage__credential'
          value: 'managedidentity'
        }
        {
          name: 'AzureWebJobsStorage__clientId'
          value: identity.properties.clientId
        }
        {
          name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
          value: insights.properties.ConnectionString
        }
        {
          name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
          value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
        }
        // empty, each of these is as if it were not there
        {
          name: 'AZURE_CLIENT_ID'
          value: identity.properties.clientId
        }
        {
          name: 'AZURE_STORAGE_ACCOUNT_NAME'
          value: dataName
        }
        {
          name: 'AzureWebJobsServiceBus__fullyQualifiedNamespace'
          value: '${name}.servicebus.windows.net'
        }
        {
          name: 'AzureWebJobsServiceBus__credential'
          value: 'managedidentity'
        }
        {
          name: 'AzureWebJobsServiceBus__clientId'
          value: identity.properties.clientId
        }
        {
          name: 'FLYWEIGHT_MODEL'
          value: empty(model) ? '' : 'az://${models}/${model}'
        }
        {
          name: 'FLYWEIGHT_OUTPUT'
          value: scoreFiles ? 'az://${answers}/scored' : ''
        }
        {
          name: 'FLYWEIGHT_TRIGGERS'
          value: '${empty(serviceBusQueue) ? '' : 'servicebus:${serviceBusQueue}'} ${scoreFiles ? 'eventgrid' : ''}'
        }
      ]
    }
  }
  dependsOn: [
    container
    storageRole
    insightsRole
    modelRole
    queueRole
  ]
}

resource topic 'Microsoft.EventGrid/systemTopics@2022-06-15' = if (scoreFiles && subscribe) {
  name: name
  location: location
  properties: {
    source: data.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

// To the function by its id: a webhook would need the host's key.
resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2022-06-15' = if (scoreFiles && subscribe) {
  parent: topic
  name: 'files'
  properties: {
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: '${app.id}/functions/eventgrid'
      }
    }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: {
      includedEventTypes: [
        'Microsoft.Storage.BlobCreated'
      ]
      subjectBeginsWith: '/blobServices/default/containers/${files}/'
    }
  }
}

resource mail 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: name
  location: 'global'
  properties: {
    groupShortName: 'flyweight'
    enabled: true
    emailReceivers: [
      {
        name: 'mail'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource failures 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(alertEmail)) {
  name: '${name}-5xx'
  location: 'global'
  properties: {
    description: 'More than one answer with 5xx in five minutes.'
    severity: 2
    enabled: true
    scopes: [
      app.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: '5xx'
          criterionType: 'StaticThresholdCriterion'
          metricName: 'Http5xx'
          operator: 'GreaterThan'
          threshold: 1
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: mail.id
      }
    ]
  }
}

output functionApp string = app.name
output url string = 'https://${app.properties.defaultHostName}'
