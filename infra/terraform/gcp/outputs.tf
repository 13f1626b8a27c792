output "url" {
  description = "Where the function answers those who may call it."
  value       = google_cloud_run_v2_service.function.uri
}
