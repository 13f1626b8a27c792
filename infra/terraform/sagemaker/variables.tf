variable "name" {
  description = "Of the endpoint, and what the names of all else begin with."
  type        = string
  default     = "flyweight"
  validation {
    condition     = can(regex("^[a-z](-*[a-z0-9]){0,54}$", var.name))
    error_message = "name begins with a small letter, followed by small letters, digits and -."
  }
}

variable "tags" {
  description = "On all that takes tags."
  type        = map(string)
  default     = {}
}

variable "kind" {
  description = "serverless is paid by the request; realtime, async and multi have instances; transform is a model for batch jobs."
  type        = string
  default     = "serverless"
  validation {
    condition     = contains(["serverless", "realtime", "async", "transform", "multi"], var.kind)
    error_message = "kind is serverless, realtime, async, transform or multi."
  }
}

# The model

variable "image" {
  description = "The image of `flyweight build sagemaker --as oci`, in ECR, with its digest."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9._/-]+(:[A-Za-z0-9_.-]+)?(@sha256:[0-9a-f]{64})?$", var.image))
    error_message = "image is asked for, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/penguins@sha256:..."
  }
}

variable "model_data" {
  description = "The model.tar.gz in S3, for kind = multi the folder of them with / at its end; empty for the image's own model."
  type        = string
  default     = ""
  validation {
    condition     = (var.kind == "multi") == endswith(var.model_data, "/")
    error_message = "kind = multi asks for model_data, the folder of the models with / at its end; other kinds take a model.tar.gz."
  }
}

variable "model_sha256" {
  description = "FLYWEIGHT_SHA256, the only model file that the container accepts; empty for any."
  type        = string
  default     = ""
}

variable "models_bytes" {
  description = "FLYWEIGHT_CACHE_BYTES, for kind = multi the memory that all loaded models may take, in bytes."
  type        = number
  default     = 1000000000
}

# What it runs on

variable "memory_mb" {
  description = "Of a serverless endpoint, which has CPU in proportion."
  type        = number
  default     = 1024
}

variable "max_concurrency" {
  description = "Requests at once of a serverless endpoint."
  type        = number
  default     = 10
}

variable "provisioned_concurrency" {
  description = "Instances of a serverless endpoint that are kept started, and paid while they are; 0 keeps none."
  type        = number
  default     = 0
}

variable "instance_type" {
  description = "Of the other kinds of endpoints."
  type        = string
  default     = "ml.m5.large"
}

variable "min_instances" {
  description = "kind = async may have 0."
  type        = number
  default     = 1
  validation {
    condition     = var.min_instances > 0 || var.kind == "async"
    error_message = "min_instances = 0 asks for kind = async, as other endpoints keep an instance."
  }
}

variable "max_instances" {
  description = "The most that are started."
  type        = number
  default     = 2
}

variable "target_invocations" {
  description = "Requests a minute and instance, which more instances are started to stay below."
  type        = number
  default     = 1000
}

variable "target_backlog" {
  description = "Waiting requests an instance, likewise for kind = async."
  type        = number
  default     = 5
}

variable "startup_seconds" {
  description = "Until GET /ping has to answer, on instances."
  type        = number
  default     = 60
}

# What it reads and writes

variable "input_path" {
  description = "For async and transform, the folder of requests or tables, as s3://my-bucket/in/"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^$|^s3://[a-z0-9.-]{3,63}/[^*?]+/$", var.input_path)) && (var.input_path != "" || !contains(["async", "transform"], var.kind))
    error_message = "kind = async and kind = transform ask for input_path, as s3://my-bucket/in/"
  }
}

variable "output_path" {
  description = "For async and transform, the folder of answers, as s3://my-bucket/out/"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^$|^s3://[a-z0-9.-]{3,63}/[^*?]+/$", var.output_path)) && (var.output_path != "" || !contains(["async", "transform"], var.kind))
    error_message = "kind = async and kind = transform ask for output_path, as s3://my-bucket/out/"
  }
}

variable "capture_path" {
  description = "For realtime, the folder to which requests and answers are copied; empty for none."
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^$|^s3://[a-z0-9.-]{3,63}/[^*?]+/$", var.capture_path)) && (var.capture_path == "" || var.kind == "realtime")
    error_message = "capture_path asks for kind = realtime, as SageMaker copies the requests of no other kind."
  }
}

variable "capture_percent" {
  description = "The share of the requests that is copied."
  type        = number
  default     = 100
}

# What it may do, and what is seen of it

variable "network_isolation" {
  description = "Whether the container reaches no network at all, not even S3; serverless endpoints have no isolation."
  type        = bool
  default     = true
}

variable "subnet_ids" {
  description = "Subnets of a VPC, with commas between; empty for none."
  type        = string
  default     = ""
  validation {
    condition     = (var.subnet_ids == "") == (var.security_group_ids == "")
    error_message = "subnet_ids and security_group_ids ask for each other."
  }
  validation {
    condition     = var.subnet_ids == "" || var.kind != "serverless"
    error_message = "kind = serverless has no VPC, leave subnet_ids out or choose kind = realtime."
  }
}

variable "security_group_ids" {
  description = "Security groups for subnet_ids, with commas between."
  type        = string
  default     = ""
}

variable "role_arn" {
  description = "ARN of a role that is there, which the model runs as; it gets no right from here. Empty to make one."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds what the role made here may do; empty for none."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "ARN of a KMS key for the disks of instances, the log, answers and copies; empty for the services' own keys."
  type        = string
  default     = ""
}

variable "log_retention_days" {
  description = "How long the log is kept."
  type        = number
  default     = 30
}

variable "alarm_topic" {
  description = "ARN of an SNS topic that is told when the endpoint answers with faults; empty for none."
  type        = string
  default     = ""
}
