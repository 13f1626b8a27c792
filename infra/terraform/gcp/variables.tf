variable "project" {
  type = string
}

variable "region" {
  type    = string
  default = "europe-west1"
}

variable "name" {
  type    = string
  default = "flyweight"
}

variable "image" {
  description = "The image of the built folder; the head of infra/gcp/service.yaml has the command that builds it."
  type        = string
}

variable "model" {
  description = "The gs:// bucket and the folder of the model, for FLYWEIGHT_MODEL; null: it is in the image."
  type        = object({ bucket = string, folder = string, alias = string })
  default     = null
}

variable "results_topic" {
  description = "A Pub/Sub topic that results are published to; null: none."
  type        = string
  default     = null
}

variable "trigger_topic" {
  description = "A Pub/Sub topic whose messages are sent to the function; null: none."
  type        = string
  default     = null
}

variable "invokers" {
  description = "Who may call it, as user:ada@example.com; allUsers makes it public."
  type        = set(string)
  default     = []
}

variable "min_instances" {
  description = "Kept warm, and paid for."
  type        = number
  default     = 0
}

variable "max_instances" {
  type    = number
  default = 10
}

variable "alert_channel" {
  description = "A notification channel that is told when flyweight logs errors; null: none."
  type        = string
  default     = null
}
