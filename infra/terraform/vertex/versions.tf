# An endpoint of Vertex AI, and what stands around it, for teams that keep their infrastructure in Terraform. Google's provider has
# no resource for a model of one's own and none that deploys it to an endpoint: infra/vertex/deploy.sh does both, with the
# variables that the output `deploy` prints, and finds the endpoint made.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}
