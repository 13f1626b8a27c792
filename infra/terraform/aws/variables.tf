variable "name" {
  description = "Of the function, and what the names of all else begin with."
  type        = string
  default     = "flyweight"
}

variable "package" {
  description = "Path of a zip of what `flyweight build aws` made."
  type        = string
}

variable "tags" {
  description = "On all that takes tags."
  type        = map(string)
  default     = {}
}

# Who may call, and how

variable "endpoint" {
  description = "api: API Gateway; function-url; or none."
  type        = string
  default     = "api"
  validation {
    condition     = contains(["api", "function-url", "none"], var.endpoint)
    error_message = "endpoint is api, function-url or none."
  }
}

variable "access" {
  description = "iam asks for signatures (SigV4), jwt for a token of jwt_issuer, api-key for x-api-key; public lets anyone call."
  type        = string
  default     = "iam"
  validation {
    condition     = contains(["iam", "jwt", "api-key", "public"], var.access)
    error_message = "access is iam, jwt, api-key or public."
  }
  validation {
    condition     = var.endpoint != "function-url" || contains(["iam", "public"], var.access)
    error_message = "A Function URL knows access = iam and access = public only."
  }
}

variable "jwt_issuer" {
  type    = string
  default = ""
  validation {
    condition     = var.access != "jwt" || startswith(var.jwt_issuer, "https://")
    error_message = "access = jwt asks for jwt_issuer."
  }
}

variable "jwt_audience" {
  type    = string
  default = ""
  validation {
    condition     = var.access != "jwt" || var.jwt_audience != ""
    error_message = "access = jwt asks for jwt_audience."
  }
}

variable "rate_limit" {
  description = "Requests a second that the API, or the usage plan of an API key, lets through."
  type        = number
  default     = 100
}

variable "burst_limit" {
  type    = number
  default = 200
}

variable "daily_quota" {
  description = "For access = api-key, requests a day and key."
  type        = number
  default     = 100000
}

variable "cors_origins" {
  description = "FLYWEIGHT_CORS_ORIGINS, pages whose scripts may call, as https://shop.example,https://www.shop.example; empty for none."
  type        = string
  default     = ""
}

variable "cors_headers" {
  description = "FLYWEIGHT_CORS_HEADERS, request headers that those scripts may send, with commas between; empty for the usual."
  type        = string
  default     = ""
}

variable "cors_credentials" {
  description = "FLYWEIGHT_CORS_CREDENTIALS, whether those scripts may send cookies and the browser's passwords."
  type        = bool
  default     = false
  validation {
    condition     = !var.cors_credentials || !contains(["", "*"], var.cors_origins)
    error_message = "cors_credentials = true asks for cors_origins that names the origins."
  }
}

variable "cors_max_age" {
  description = "FLYWEIGHT_CORS_MAX_AGE, seconds for which a browser remembers what it may send."
  type        = number
  default     = 600
}

variable "domain_name" {
  description = "A domain of your own for the API; asks for certificate_arn."
  type        = string
  default     = ""
  validation {
    condition     = var.domain_name == "" || var.certificate_arn != ""
    error_message = "domain_name asks for certificate_arn."
  }
  validation {
    condition     = var.domain_name == "" || var.endpoint == "api"
    error_message = "domain_name asks for endpoint = api, since a Function URL has no domain of one's own."
  }
}

variable "certificate_arn" {
  description = "ARN of a certificate for domain_name, in the same region."
  type        = string
  default     = ""
}

variable "hosted_zone_id" {
  description = "Route 53's zone that gets the record of domain_name; empty where the record is made elsewhere."
  type        = string
  default     = ""
  validation {
    condition     = var.hosted_zone_id == "" || var.domain_name != ""
    error_message = "hosted_zone_id asks for domain_name."
  }
}

# The function

variable "architecture" {
  type    = string
  default = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "python_version" {
  description = "The one that the package was built for (flyweight build --python)."
  type        = string
  default     = "3.13"
  validation {
    condition     = contains(["3.11", "3.12", "3.13", "3.14"], var.python_version)
    error_message = "python_version is 3.11, 3.12, 3.13 or 3.14."
  }
}

variable "memory_size" {
  type    = number
  default = 512
}

variable "ephemeral_storage" {
  type    = number
  default = 512
}

variable "timeout" {
  type    = number
  default = 10
}

variable "reserved_concurrency" {
  description = "-1 reserves nothing."
  type        = number
  default     = -1
}

variable "client" {
  type        = string
  default     = "platform"
  description = "What asks Lambda for events, AWS's client (platform) or flyweight's (own), which starts sooner; docs/lambda-client.md."
  validation {
    condition     = contains(["platform", "own"], var.client)
    error_message = "client should be platform or own."
  }
}

variable "streaming" {
  type        = bool
  default     = false
  description = "Sends answers of up to 200 MB while they are made, by a function URL. Asks for client = own; docs/lambda-client.md."
  validation {
    condition     = !var.streaming || var.client == "own"
    error_message = "streaming asks for client = own, as AWS's client for Python has no streams."
  }
  validation { # `response_transfer_mode` of a REST API begins with version 6.27 of the provider
    condition     = !var.streaming || var.endpoint == "function-url"
    error_message = "streaming asks for endpoint = function-url."
  }
}

variable "snap_start" {
  type    = bool
  default = false
  validation {
    condition     = !var.snap_start || var.ephemeral_storage == 512
    error_message = "SnapStart takes ephemeral_storage = 512 only."
  }
  validation {
    condition     = !var.snap_start || var.provisioned_concurrency == 0
    error_message = "SnapStart and provisioned concurrency exclude each other."
  }
  validation {
    condition     = !var.snap_start || var.python_version != "3.11"
    error_message = "SnapStart begins with python_version = 3.12."
  }
}

variable "provisioned_concurrency" {
  type    = number
  default = 0
}

variable "rollout" {
  description = "AllAtOnce: `terraform apply` moves the alias; else CodeDeploy does, in these steps, and back when the function fails."
  type        = string
  default     = "AllAtOnce"
  validation {
    condition = contains([
      "AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent30Minutes", "Linear10PercentEvery1Minute", "Linear10PercentEvery10Minutes",
    ], var.rollout)
    error_message = "rollout is AllAtOnce, or a Canary or Linear of infra/aws/template.yaml."
  }
}

variable "role_arn" {
  description = "ARN of a role that is there, which the function runs as; it gets no right from here. Empty to make one."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "ARN of a policy that bounds what the roles made here may do; empty for none."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "ARN of a KMS key for the function's variables, the log, queues, buckets and the table; empty for the services' own keys."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Subnets of a VPC, with commas between, that the function reaches; empty for none."
  type        = string
  default     = ""
  validation {
    condition     = (var.subnet_ids == "") == (var.security_group_ids == "")
    error_message = "subnet_ids and security_group_ids ask for each other."
  }
}

variable "security_group_ids" {
  description = "Security groups for subnet_ids, with commas between."
  type        = string
  default     = ""
}

# The model

variable "model" {
  description = "FLYWEIGHT_MODEL, as s3://my-bucket/models/penguins@prod, and the right to read it; empty for the package's."
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^$|^s3://[a-z0-9.-]{3,63}/[^@*?]+(@[^@*?/]+)?$", var.model))
    error_message = "model is s3://BUCKET/NAME@ALIAS, s3://BUCKET/NAME/VERSION or s3://BUCKET/KEY.safetensors."
  }
}

variable "model_bucket" {
  description = "Name of a bucket to be made for models; empty for none."
  type        = string
  default     = ""
}

# Triggers

variable "queue" {
  type    = bool
  default = false
  validation {
    condition     = !var.queue || var.results != ""
    error_message = "queue = true asks for results, since nobody reads what a function returns to a queue."
  }
}

variable "queue_batch_size" {
  type    = number
  default = 100
}

variable "queue_concurrency" {
  type    = number
  default = 10
}

variable "results" {
  description = "FLYWEIGHT_RESULTS: queue, table, or empty."
  type        = string
  default     = ""
  validation {
    condition     = contains(["", "queue", "table"], var.results)
    error_message = "results is queue, table or empty."
  }
}

variable "files_bucket" {
  description = "Name of a bucket to be made, whose files below in/ are scored to files below out/; empty for none."
  type        = string
  default     = ""
}

variable "schedule" {
  description = "When to have the model loaded and checked, as rate(5 minutes); empty for never."
  type        = string
  default     = ""
}

# What is seen of it

variable "log_retention_days" {
  type    = number
  default = 30
}

variable "tracing" {
  type    = bool
  default = false
}

variable "observability" {
  type    = string
  default = ""
}

variable "powertools_layer" {
  type    = string
  default = ""
}

variable "dashboard" {
  type    = bool
  default = false
}

variable "alarms" {
  type    = bool
  default = false
}

variable "alarm_topic" {
  description = "ARN of an SNS topic that alarms are sent to; empty for none."
  type        = string
  default     = ""
}
