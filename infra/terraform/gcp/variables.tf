variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the function runs, and its triggers."
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "The function's name and that of its identity: 6 to 30 letters, at most 22 with a trigger."
  type        = string
  default     = "flyweight"
}

variable "image" {
  description = "The image of the built folder; the head of infra/gcp/service.yaml has the commands that build it, and infra/cloudrun/service.yaml."
  type        = string
}

variable "server" {
  description = "Whether the folder was built for cloudrun: Google then asks /ready before an instance gets requests, and /health once a minute."
  type        = bool
  default     = false
}

variable "memory" {
  description = "What an instance has."
  type        = string
  default     = "512Mi"
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "1"
}

variable "concurrency" {
  description = "Requests at once in one instance; null: 16 for functions-framework, which answers in 4 threads a CPU, and 80 for our own server."
  type        = number
  default     = null
}

variable "min_instances" {
  description = "Kept warm, and paid for."
  type        = number
  default     = 0
}

variable "max_instances" {
  description = "The most instances there may be."
  type        = number
  default     = 10
}

variable "timeout" {
  description = "Of a request."
  type        = string
  default     = "30s"
}

variable "settings" {
  description = "Further variables of flyweight."
  type        = map(string)
  default     = {}
}

variable "cors" {
  description = "The pages whose scripts may call, for FLYWEIGHT_CORS_ORIGINS and so on; null: none. A browser asks first without credentials, which Cloud Run passes on for allUsers only."
  type = object({
    origins     = list(string)
    headers     = optional(list(string), [])
    credentials = optional(bool, false)
    max_age     = optional(number, 600)
  })
  default = null
}

variable "network" {
  description = "The VPC that the function reaches, a subnet of it, and what goes through it; null: none."
  type        = object({ network = string, subnet = optional(string), egress = optional(string, "PRIVATE_RANGES_ONLY") })
  default     = null
}

variable "kms_key" {
  description = "projects/P/locations/L/keyRings/R/cryptoKeys/K, by which image and disk are encrypted; null: Google's own."
  type        = string
  default     = null
}

variable "service_account" {
  description = "The address of an identity that is there, which the function runs as; it gets no right from here. null: one is made."
  type        = string
  default     = null
}

variable "domain" {
  description = "A domain of your own, verified for the account; Google makes its certificate. Not in every region. null: none."
  type        = string
  default     = null
}

variable "labels" {
  description = "Of the service."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Whether Terraform refuses to delete the function; set it to false and apply before `terraform destroy`."
  type        = bool
  default     = true
}

variable "invokers" {
  description = "Who may call it, as user:ada@example.com; allUsers makes it public."
  type        = set(string)
  default     = []
}

variable "model" {
  description = "The gs:// bucket, the folder and the alias of the model, for FLYWEIGHT_MODEL; null: it is in the image."
  type        = object({ bucket = string, folder = string, alias = string })
  default     = null
}

variable "results_topic" {
  description = "A Pub/Sub topic of the project that results are published to; null: none."
  type        = string
  default     = null
}

variable "dead_letters_topic" {
  description = "A Pub/Sub topic of the project for records that are rejected for good; null: they go to the log."
  type        = string
  default     = null
}

variable "output" {
  description = "Where answers to files go: a bucket and a folder in it; null: beside the files."
  type        = object({ bucket = string, folder = string })
  default     = null
}

variable "trigger_topic" {
  description = "A Pub/Sub topic of the project whose messages are sent to the function; null: none."
  type        = string
  default     = null
}

variable "trigger_bucket" {
  description = "A bucket in the region whose finished objects are scored; null: none. docs/providers/gcp.md has what it needs first."
  type        = string
  default     = null
}

variable "alert_channel" {
  description = "A notification channel that is told when flyweight logs errors; null: none."
  type        = string
  default     = null
}

variable "budget" {
  description = "A month's spending of the project, of whose approach the billing account's owners are told; null: none."
  type        = object({ billing_account = string, currency = string, units = string })
  default     = null
}
