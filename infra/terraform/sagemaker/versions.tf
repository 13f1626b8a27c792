# A flyweight model on Amazon SageMaker. The same as infra/sagemaker/template.yaml, from an image that is in ECR already:
# flyweight image push build/sagemaker.oci 123456789012.dkr.ecr.eu-west-1.amazonaws.com/penguins:1 --docker-format
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
