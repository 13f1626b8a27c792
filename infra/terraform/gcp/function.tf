# The function, and the identity that it runs as, with no right but those that are named here.
locals {
  settings = merge(
    var.model == null ? {} : { FLYWEIGHT_MODEL = "gs://${var.model.bucket}/${var.model.folder}@${var.model.alias}" },
    var.results_topic == null ? {} : { FLYWEIGHT_RESULTS = "pubsub://${var.project}/${var.results_topic}" },
    var.dead_letters_topic == null ? {} : { FLYWEIGHT_DEAD_LETTERS = "pubsub://${var.project}/${var.dead_letters_topic}" },
    var.output == null ? {} : { FLYWEIGHT_OUTPUT = "gs://${var.output.bucket}/${var.output.folder}" },
    # the function takes events from its own triggers alone; "iam" says that Cloud Run checks the token of every caller
    local.triggered == 0 ? {} : {
      FLYWEIGHT_EVENT_SENDERS = join(" ", concat(
        contains(var.invokers, "allUsers") ? [] : ["iam"],
        ["${var.name}-trigger@${var.project}.iam.gserviceaccount.com"],
      ))
    },
    var.trigger_bucket == null ? {} : { FLYWEIGHT_EVENT_BUCKETS = var.trigger_bucket },
    var.cors == null ? {} : {
      FLYWEIGHT_CORS_ORIGINS     = join(" ", var.cors.origins)
      FLYWEIGHT_CORS_HEADERS     = join(" ", var.cors.headers)
      FLYWEIGHT_CORS_CREDENTIALS = tostring(var.cors.credentials)
      FLYWEIGHT_CORS_MAX_AGE     = tostring(var.cors.max_age)
    },
    var.settings,
  )
  own    = var.service_account == null ? 1 : 0
  member = one(google_service_account.own[*].member)
  topics = local.own == 0 ? toset([]) : toset(compact([var.results_topic, var.dead_letters_topic]))
  # where answers to files are written: beside the files, unless they have a bucket of their own
  written = local.own == 0 ? toset([]) : toset(compact([var.output == null ? var.trigger_bucket : var.output.bucket]))
  read    = local.own == 0 ? toset([]) : setsubtract(toset(compact([var.trigger_bucket])), local.written)
}

resource "google_service_account" "own" {
  count      = local.own
  project    = var.project
  account_id = var.name
}

resource "google_storage_bucket_iam_member" "model" {
  count  = var.model == null ? 0 : local.own
  bucket = var.model.bucket
  role   = "roles/storage.objectViewer"
  member = local.member
  condition {
    title      = var.name
    expression = "resource.name.startsWith(\"projects/_/buckets/${var.model.bucket}/objects/${var.model.folder}/\")"
  }
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = local.read
  bucket   = each.value
  role     = "roles/storage.objectViewer"
  member   = local.member
}

resource "google_storage_bucket_iam_member" "written" {
  for_each = local.written
  bucket   = each.value
  role     = "roles/storage.objectUser" # parts are listed, read, joined and deleted
  member   = local.member
}

resource "google_pubsub_topic_iam_member" "sinks" {
  for_each = local.topics
  project  = var.project
  topic    = each.value
  role     = "roles/pubsub.publisher"
  member   = local.member
}

resource "google_cloud_run_v2_service" "function" {
  project             = var.project
  location            = var.region
  name                = var.name
  deletion_protection = var.deletion_protection
  labels              = var.labels
  template {
    service_account                  = coalesce(var.service_account, one(google_service_account.own[*].email))
    encryption_key                   = var.kms_key
    timeout                          = var.timeout
    max_instance_request_concurrency = coalesce(var.concurrency, var.server ? 80 : 16)
    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
    dynamic "vpc_access" {
      for_each = var.network == null ? [] : [var.network]
      content {
        egress = vpc_access.value.egress
        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnet
        }
      }
    }
    containers {
      image = var.image
      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        startup_cpu_boost = true
      }
      dynamic "liveness_probe" {
        for_each = var.server ? [1] : []
        content {
          period_seconds = 60
          http_get {
            path = "/health"
          }
        }
      }
      dynamic "env" {
        for_each = local.settings
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.function.name
  role     = "roles/run.invoker"
  member   = each.value
}

resource "google_cloud_run_domain_mapping" "domain" {
  count    = var.domain == null ? 0 : 1
  project  = var.project
  location = var.region
  name     = var.domain
  metadata {
    namespace = var.project
  }
  spec {
    route_name = google_cloud_run_v2_service.function.name
  }
}
