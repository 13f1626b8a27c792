# A flyweight model as an AWS Lambda function. The same as infra/aws/template.yaml, but for gradual rollouts: CodeDeploy's steps
# are CloudFormation's, and here `terraform apply` moves the alias at once.
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
