# A Cloud Run function as infra/gcp/deploy.sh makes it, or with `server` a service as infra/cloudrun/deploy.sh, for teams that keep their infrastructure in Terraform.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}
