# The function, and the identity that it runs as, with no right but those that are named here.
locals {
  settings = merge(
    var.model == null ? {} : { FLYWEIGHT_MODEL = "gs://${var.model.bucket}/${var.model.folder}@${var.model.alias}" },
    var.results_topic == null ? {} : { FLYWEIGHT_RESULTS = "pubsub://${var.project}/${var.results_topic}" },
    var.dead_letters_topic == null ? {} : { FLYWEIGHT_DEAD_LETTERS = "pubsub://${var.project}/${var.dead_letters_topic}" },
    var.output == null ? {} : { FLYWEIGHT_OUTPUT = "gs://${var.output.bucket}/${var.output.folder}" },
    var.settings,
  )
  topics = toset(compact([var.results_topic, var.dead_letters_topic]))
  # where answers to files are written: beside the files, unless they have a bucket of their own
  written = toset(compact([var.output == null ? var.trigger_bucket : var.output.bucket]))
  read    = setsubtract(toset(compact([var.trigger_bucket])), local.written)
}

resource "google_service_account" "own" {
  project    = var.project
  account_id = var.name
}

resource "google_storage_bucket_iam_member" "model" {
  count  = var.model == null ? 0 : 1
  bucket = var.model.bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.own.member
  condition {
    title      = var.name
    expression = "resource.name.startsWith(\"projects/_/buckets/${var.model.bucket}/objects/${var.model.folder}/\")"
  }
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = local.read
  bucket   = each.value
  role     = "roles/storage.objectViewer"
  member   = google_service_account.own.member
}

resource "google_storage_bucket_iam_member" "written" {
  for_each = local.written
  bucket   = each.value
  role     = "roles/storage.objectUser" # parts are listed, read, joined and deleted
  member   = google_service_account.own.member
}

resource "google_pubsub_topic_iam_member" "sinks" {
  for_each = local.topics
  project  = var.project
  topic    = each.value
  role     = "roles/pubsub.publisher"
  member   = google_service_account.own.member
}

resource "google_cloud_run_v2_service" "function" {
  project             = var.project
  location            = var.region
  name                = var.name
  deletion_protection = var.deletion_protection
  template {
    service_account                  = google_service_account.own.email
    timeout                          = var.timeout
    max_instance_request_concurrency = var.concurrency
    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
    containers {
      image = var.image
      resources {
        limits            = { cpu = var.cpu, memory = var.memory }
        startup_cpu_boost = true
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
