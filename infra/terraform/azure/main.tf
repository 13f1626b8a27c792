# The Flex Consumption app of infra/azure/main.json, deployed by Terraform. The template is the only description of the app;
# `terraform plan` shows a change of the template or of its parameters.
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

variable "parameters" {
  description = "Parameters of infra/azure/main.json, which describes them; one that is left out has its default, which is off."
  type        = any
  default     = {}
}

# The template without its explanations. Azure has dropped those of the whole template (github.com/Azure/bicep/issues/6059), so
# that every plan showed a change; nothing is known about those of resources.
locals {
  template  = jsondecode(file("${path.module}/../../azure/main.json"))
  rest      = { for key, value in local.template : key => value if key != "metadata" }
  resources = [for one in local.template.resources : { for key, value in one : key => value if key != "metadata" }]
}

resource "azurerm_resource_group_template_deployment" "function" {
  name                = "flyweight"
  resource_group_name = var.resource_group
  deployment_mode     = "Incremental"
  template_content    = jsonencode(merge(local.rest, { resources = local.resources }))
  parameters_content  = jsonencode({ for name, value in var.parameters : name => { value = value } })
}

output "url" {
  value = jsondecode(azurerm_resource_group_template_deployment.function.output_content).url.value
}

output "function_app" {
  value = jsondecode(azurerm_resource_group_template_deployment.function.output_content).functionApp.value
}
