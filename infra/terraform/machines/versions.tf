# Machines of Compute Engine in a managed instance group behind an internal load balancer, as infra/vm/gcp.sh makes them. A new
# release is a new instance template, to which the group is updated with more machines before any goes.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}
