# A CloudFormation template of infra/, deployed by Terraform: the machines of vm/aws.yaml, or another that `template` names. The
# template is the only description of what is made; `terraform plan` shows a change of the template or of its parameters.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "template" {
  description = "The template, below infra/: vm/aws.yaml is an Auto Scaling group, docker/fargate.yaml is a container."
  type        = string
  default     = "vm/aws.yaml"
}

variable "name" {
  description = "The stack's name, and that of what is in it."
  type        = string
  default     = "flyweight"
}

variable "parameters" {
  description = "Parameters of the template, which describes them; one that is left out has its default."
  type        = map(string)
  default     = {}
}

variable "topics" {
  description = "ARNs of SNS topics that CloudFormation tells of the stack's events."
  type        = set(string)
  default     = []
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation puts on all that is in it."
  type        = map(string)
  default     = {}
}

resource "aws_cloudformation_stack" "made" {
  name              = var.name
  template_body     = file("${path.module}/../../${var.template}")
  parameters        = var.parameters
  capabilities      = ["CAPABILITY_IAM"]
  notification_arns = var.topics
  tags              = var.tags
}

output "outputs" {
  description = "The template's outputs by name, such as Url."
  value       = aws_cloudformation_stack.made.outputs
}
