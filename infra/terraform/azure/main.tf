# The Flex Consumption app of infra/azure/main.bicep: that very template, its ARM twin, deployed by Terraform. One description
# of the app stays the only one; `terraform plan` shows a change of the template or of its parameters.
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
  description = "Parameters of infra/azure/main.bicep, which explains them; what is left out has its default, which is off."
  type        = any
  default     = {}
}

resource "azurerm_resource_group_template_deployment" "function" {
  name                = "flyweight"
  resource_group_name = var.resource_group
  deployment_mode     = "Incremental"
  template_content    = file("${path.module}/../../azure/main.json")
  parameters_content  = jsonencode({ for name, value in var.parameters : name => { value = value } })
}

output "url" {
  value = jsondecode(azurerm_resource_group_template_deployment.function.output_content).url.value
}

output "function_app" {
  value = jsondecode(azurerm_resource_group_template_deployment.function.output_content).functionApp.value
}
