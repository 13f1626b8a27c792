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
@allowed(['3.11', '3.12', '3.13', '3.14'])
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

@description('An event hub to make, whose events are scored; empty: none.')
param eventHub string = ''

@description('A Service Bus queue to make, which results go to; empty: none.')
param resultsQueue string = ''

@description('An event hub to make, which results go to where resultsQueue is empty; empty: none.')
param resultsHub string = ''

@description('A Service Bus queue to make, which records go to that are rejected for good; empty: they go to the log.')
param deadLetterQueue string = ''

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
// Service Bus and Event Hubs share a domain, and a name that is not used has to be one all the same.
var busName = '${name}-bus'
var hubsName = '${name}-hubs'
var rowsQueueName = empty(serviceBusQueue) ? 'no-rows' : serviceBusQueue
var resultsQueueName = empty(resultsQueue) ? 'no-results' : resultsQueue
var deadLetterQueueName = empty(deadLetterQueue) ? 'no-dead-letters' : deadLetterQueue
var rowsHubName = empty(eventHub) ? 'no-rows' : eventHub
var resultsHubName = empty(resultsHub) ? 'no-results' : resultsHub
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageBlobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var serviceBusDataReceiver = '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
var serviceBusDataSender = '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
var eventHubsDataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
var eventHubsDataSender = '2b629674-e913-4c01-ae53-ef4638d8f975'
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

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' = if (!empty(serviceBusQueue) || !empty(resultsQueue) || !empty(deadLetterQueue)) {
  name: busName
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

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = if (!empty(serviceBusQueue)) {
  parent: bus
  name: rowsQueueName
  properties: {
    maxDeliveryCount: 5
    lockDuration: 'PT5M'
    deadLetteringOnMessageExpiration: true
  }
}

resource results 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = if (!empty(resultsQueue)) {
  parent: bus
  name: resultsQueueName
  properties: {
    deadLetteringOnMessageExpiration: true
  }
}

resource deadLetters 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = if (!empty(deadLetterQueue)) {
  parent: bus
  name: deadLetterQueueName
  properties: {
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

resource resultsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(resultsQueue)) {
  scope: results
  name: guid(results.id, identity.id, serviceBusDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusDataSender)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource deadLettersRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deadLetterQueue)) {
  scope: deadLetters
  name: guid(deadLetters.id, identity.id, serviceBusDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusDataSender)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource hubs 'Microsoft.EventHub/namespaces@2024-01-01' = if (!empty(eventHub) || !empty(resultsHub)) {
  name: hubsName
  location: location
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = if (!empty(eventHub)) {
  parent: hubs
  name: rowsHubName
  properties: {
    partitionCount: 4
    messageRetentionInDays: 1
  }
}

resource resultsStream 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = if (!empty(resultsHub)) {
  parent: hubs
  name: resultsHubName
  properties: {
    partitionCount: 4
    messageRetentionInDays: 1
  }
}

resource hubRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(eventHub)) {
  scope: hub
  name: guid(hub.id, identity.id, eventHubsDataReceiver)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsDataReceiver)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource resultsStreamRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(resultsHub)) {
  scope: resultsStream
  name: guid(resultsStream.id, identity.id, eventHubsDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsDataSender)
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
          value: '${busName}.servicebus.windows.net'
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
          name: 'AzureWebJobsEventHub__fullyQualifiedNamespace'
          value: '${hubsName}.servicebus.windows.net'
        }
        {
          name: 'AzureWebJobsEventHub__credential'
          value: 'managedidentity'
        }
        {
          name: 'AzureWebJobsEventHub__clientId'
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
          value: '${empty(serviceBusQueue) ? '' : 'servicebus:${serviceBusQueue}'} ${empty(eventHub) ? '' : 'eventhub:${eventHub}'} ${scoreFiles ? 'eventgrid' : ''}'
        }
        {
          name: 'FLYWEIGHT_RESULTS'
          value: !empty(resultsQueue) ? 'servicebus:${resultsQueue}' : (empty(resultsHub) ? '' : 'eventhub:${resultsHub}')
        }
        {
          name: 'FLYWEIGHT_DEAD_LETTERS'
          value: empty(deadLetterQueue) ? '' : 'servicebus:${deadLetterQueue}'
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
    resultsRole
    deadLettersRole
    hubRole
    resultsStreamRole
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
    eventDeliverySchema: 'EventGridSchema' // every SDK of the worker reads it, which of CloudEvents only newer ones do
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
