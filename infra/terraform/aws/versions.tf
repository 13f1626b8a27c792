# A flyweight model as an AWS Lambda function. The same as infra/aws/template.yaml, but that CloudFormation waits for a gradual
# rollout, and Terraform, which can't, puts out the command that starts it and waits: eval "$(terraform output -raw rollout)"
terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.60, < 7.0"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
