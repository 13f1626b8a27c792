# The endpoint, its images, and the identity that its containers run as, with no right but those that are named here.
resource "google_artifact_registry_repository" "images" {
  count         = var.repository == null ? 0 : 1
  project       = var.project
  location      = var.region
  repository_id = var.repository
  format        = "DOCKER"
  kms_key_name  = var.kms_key
  labels        = var.labels
}

resource "google_service_account" "own" {
  project      = var.project
  account_id   = var.name
  display_name = "what ${var.name} runs as"
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

resource "google_vertex_ai_endpoint" "endpoint" {
  project      = var.project
  location     = var.region
  region       = var.region
  name         = var.name
  display_name = var.name
  labels       = var.labels
  dynamic "encryption_spec" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      kms_key_name = encryption_spec.value
    }
  }
  dynamic "predict_request_response_logging_config" {
    for_each = var.logged == null ? [] : [var.logged]
    content {
      enabled       = true
      sampling_rate = predict_request_response_logging_config.value.rate
      bigquery_destination {
        output_uri = predict_request_response_logging_config.value.table
      }
    }
  }
  lifecycle {
    ignore_changes = [traffic_split] # deploy.sh's
  }
}

# Google gives this right on projects only; its own role aiplatform.user may do far more.
resource "google_project_iam_custom_role" "caller" {
  count       = length(var.invokers) == 0 ? 0 : 1
  project     = var.project
  role_id     = "${replace(var.name, "-", "_")}_caller"
  title       = "asks endpoints of Vertex AI for predictions"
  permissions = ["aiplatform.endpoints.predict"]
}

resource "google_project_iam_member" "caller" {
  for_each = var.invokers
  project  = var.project
  role     = google_project_iam_custom_role.caller[0].name
  member   = each.value
}
