variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the machines are."
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "The group's name, that of all around it, and the folder of its releases: 6 to 30 letters."
  type        = string
  default     = "flyweight"
}

variable "bucket" {
  description = "The bucket that has the release as NAME/RELEASE.zip."
  type        = string
}

variable "release" {
  description = "The sha256 of the release's zip."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.release))
    error_message = "A release is named by the 64 digits of its zip's sha256."
  }
}

variable "machine" {
  description = "The kind of machine."
  type        = string
  default     = "e2-small"
}

variable "replicas" {
  description = "Machines that always run, and at most."
  type        = object({ least = optional(number, 1), most = optional(number, 3) })
  default     = {}
}

variable "network" {
  description = "Whose subnet of the region has Private Google Access, since machines have no address outside."
  type        = string
  default     = "default"
}

variable "callers" {
  description = "Addresses that may call; by default those of a default network."
  type        = set(string)
  default     = ["10.128.0.0/9"]
}

variable "sessions" {
  description = "Whether SSH comes in by Google's tunnel (IAP)."
  type        = bool
  default     = true
}

variable "labels" {
  description = "Of the machines."
  type        = map(string)
  default     = {}
}
