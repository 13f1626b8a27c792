# An ARM template of infra/, deployed by Terraform: the Flex Consumption app of azure/main.json, or another that `template` names.
# The template is the only description of what is made; `terraform plan` shows a change of the template or of its parameters.
terraform {
  required_version = ">= 1.5"
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = ">= 4.0"
    }
  }
}

# Who it works for is said by `az login`, the subscription by ARM_SUBSCRIPTION_ID.
provider "azurerm" {
  features {}
}

variable "resource_group" {
  description = "The name of a resource group that is there."
  type        = string
}

variable "template" {
  description = "The template, below infra/: vm/azure.json is a scale set, docker/container_apps.json and docker/app_service.json are containers, azure_ml/main.json is a managed endpoint."
  type        = string
  default     = "azure/main.json"
}

variable "name" {
  description = "The name of the deployment in the resource group; another one for each template."
  type        = string
  default     = "flyweight"
}

variable "parameters" {
  description = "Parameters of the template, which describes them; one that is left out has its default."
  type        = any
  default     = {}
}

# The template without its explanations. Azure has dropped those of the whole template (github.com/Azure/bicep/issues/6059), so
# that every plan showed a change; nothing is known about those of resources.
locals {
  template  = jsondecode(file("${path.module}/../../${var.template}"))
  rest      = { for key, value in local.template : key => value if key != "metadata" }
  resources = [for one in local.template.resources : { for key, value in one : key => value if key != "metadata" }]
}

resource "azurerm_resource_group_template_deployment" "made" {
  name                = var.name
  resource_group_name = var.resource_group
  deployment_mode     = "Incremental"
  template_content    = jsonencode(merge(local.rest, { resources = local.resources }))
  parameters_content  = jsonencode({ for name, value in var.parameters : name => { value = value } })
}

output "outputs" {
  description = "The template's outputs by name, such as url."
  value       = { for name, output in jsondecode(azurerm_resource_group_template_deployment.made.output_content) : name => output.value }
}
