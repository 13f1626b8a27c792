variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the endpoint is, and the repository of its images."
  type        = string
  default     = "europe-west1"
}

variable "name" {
  description = "The endpoint's name and that of its identity: 6 to 30 letters."
  type        = string
  default     = "flyweight"
}

variable "repository" {
  description = "The repository of images in Artifact Registry, which is made; null: none, because the project has one."
  type        = string
  default     = "flyweight"
}

variable "machine" {
  description = "What each replica runs on, for deploy.sh: accelerator as nvidia-l4,1 with g2-standard-4; tpu_topology as 1x1 with ct5lp-hightpu-1t."
  type        = object({ type = optional(string, "e2-standard-2"), accelerator = optional(string, ""), tpu_topology = optional(string, "") })
  default     = {}
}

variable "replicas" {
  description = "The fewest replicas, which are kept and paid for, and the most."
  type        = object({ least = optional(number, 1), most = optional(number, 2) })
  default     = {}
}

variable "model" {
  description = "The gs:// bucket, the folder and the alias of the model, for FLYWEIGHT_MODEL; null: it is in the image."
  type        = object({ bucket = string, folder = string, alias = string })
  default     = null
}

variable "invokers" {
  description = "Who may ask the project's endpoints for predictions, and nothing else of Vertex AI, as user:ada@example.com."
  type        = set(string)
  default     = []
}

variable "kms_key" {
  description = "projects/P/locations/L/keyRings/R/cryptoKeys/K, by which endpoint and images are encrypted; null: Google's own."
  type        = string
  default     = null
}

variable "logged" {
  description = "A share from 0 to 1 of requests and answers, kept in a table bq://PROJECT/DATASET/TABLE; null: none."
  type        = object({ rate = number, table = string })
  default     = null
}

variable "labels" {
  description = "Of endpoint and repository."
  type        = map(string)
  default     = {}
}
