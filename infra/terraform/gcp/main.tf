# A Cloud Run function as infra/gcp/deploy.sh makes it, for teams that keep their infrastructure in Terraform.
terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.0"
    }
  }
}

locals {
  metric = yamldecode(file("${path.module}/../../gcp/metric.yaml"))
  alert  = yamldecode(file("${path.module}/../../gcp/alert.yaml"))
  settings = merge(
    var.model == null ? {} : { FLYWEIGHT_MODEL = "gs://${var.model.bucket}/${var.model.folder}@${var.model.alias}" },
    var.results_topic == null ? {} : { FLYWEIGHT_RESULTS = "pubsub://${var.project}/${var.results_topic}" },
  )
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

resource "google_pubsub_topic_iam_member" "results" {
  count   = var.results_topic == null ? 0 : 1
  project = var.project
  topic   = var.results_topic
  role    = "roles/pubsub.publisher"
  member  = google_service_account.own.member
}

resource "google_cloud_run_v2_service" "function" {
  project  = var.project
  location = var.region
  name     = var.name
  template {
    service_account                  = google_service_account.own.email
    timeout                          = "30s"
    max_instance_request_concurrency = 16
    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
    containers {
      image = var.image
      resources {
        limits            = { cpu = "1", memory = "512Mi" }
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

resource "google_service_account" "trigger" {
  count      = var.trigger_topic == null ? 0 : 1
  project    = var.project
  account_id = "${var.name}-trigger"
}

resource "google_cloud_run_v2_service_iam_member" "trigger" {
  count    = var.trigger_topic == null ? 0 : 1
  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.function.name
  role     = "roles/run.invoker"
  member   = google_service_account.trigger[0].member
}

resource "google_eventarc_trigger" "topic" {
  count           = var.trigger_topic == null ? 0 : 1
  project         = var.project
  location        = var.region
  name            = "${var.name}-topic"
  service_account = google_service_account.trigger[0].email
  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }
  transport {
    pubsub {
      topic = "projects/${var.project}/topics/${var.trigger_topic}"
    }
  }
  destination {
    cloud_run_service {
      service = google_cloud_run_v2_service.function.name
      region  = var.region
    }
  }
}

resource "google_logging_metric" "errors" {
  count   = var.alert_channel == null ? 0 : 1
  project = var.project
  name    = "flyweight-errors"
  filter  = local.metric.filter
  metric_descriptor {
    metric_kind = local.metric.metricDescriptor.metricKind
    value_type  = local.metric.metricDescriptor.valueType
  }
}

resource "google_monitoring_alert_policy" "errors" {
  count                 = var.alert_channel == null ? 0 : 1
  project               = var.project
  display_name          = local.alert.displayName
  combiner              = local.alert.combiner
  notification_channels = [var.alert_channel]
  conditions {
    display_name = local.alert.conditions[0].displayName
    condition_threshold {
      filter          = local.alert.conditions[0].conditionThreshold.filter
      comparison      = local.alert.conditions[0].conditionThreshold.comparison
      threshold_value = local.alert.conditions[0].conditionThreshold.thresholdValue
      duration        = local.alert.conditions[0].conditionThreshold.duration
      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.service_name"]
      }
    }
  }
  depends_on = [google_logging_metric.errors]
}

output "url" {
  value = google_cloud_run_v2_service.function.uri
}
