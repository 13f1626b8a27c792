# What sends records and files, by an identity that may do nothing but call the function.
locals {
  triggered = var.trigger_topic == null && var.trigger_bucket == null ? 0 : 1
}

resource "google_service_account" "trigger" {
  count      = local.triggered
  project    = var.project
  account_id = "${var.name}-trigger"
}

resource "google_cloud_run_v2_service_iam_member" "trigger" {
  count    = local.triggered
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

# Google gives this right on projects only.
resource "google_project_iam_member" "receiver" {
  count   = var.trigger_bucket == null ? 0 : 1
  project = var.project
  role    = "roles/eventarc.eventReceiver"
  member  = google_service_account.trigger[0].member
}

resource "google_eventarc_trigger" "bucket" {
  count           = var.trigger_bucket == null ? 0 : 1
  project         = var.project
  location        = var.region
  name            = "${var.name}-bucket"
  service_account = google_service_account.trigger[0].email
  matching_criteria {
    attribute = "type"
    value     = "google.cloud.storage.object.v1.finalized"
  }
  matching_criteria {
    attribute = "bucket"
    value     = var.trigger_bucket
  }
  destination {
    cloud_run_service {
      service = google_cloud_run_v2_service.function.name
      region  = var.region
    }
  }
  depends_on = [google_project_iam_member.receiver]
}
