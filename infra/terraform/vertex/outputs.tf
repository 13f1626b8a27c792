output "deploy" {
  description = "The command that makes a version of the model and deploys it to the endpoint; SOURCE names another folder than build/vertex."
  value = join(" ", compact([
    "PROJECT=${var.project}", "REGION=${var.region}", "NAME=${var.name}",
    var.repository == null ? "" : "REPOSITORY=${var.repository}",
    "MACHINE_TYPE=${var.machine.type}",
    var.machine.accelerator == "" ? "" : "ACCELERATOR=${var.machine.accelerator}",
    var.machine.tpu_topology == "" ? "" : "TPU_TOPOLOGY=${var.machine.tpu_topology}",
    "MIN_REPLICAS=${var.replicas.least}", "MAX_REPLICAS=${var.replicas.most}",
    "SERVICE_ACCOUNT=${google_service_account.own.email}",
    var.model == null ? "" : "MODEL=gs://${var.model.bucket}/${var.model.folder}@${var.model.alias}",
    "infra/vertex/deploy.sh",
  ]))
}

output "url" {
  description = "Where the endpoint answers those who may call it, with :predict after it."
  value       = "https://${var.region}-aiplatform.googleapis.com/v1/projects/${var.project}/locations/${var.region}/endpoints/${google_vertex_ai_endpoint.endpoint.name}"
}
