# What the machines run as: it reads releases of this name, and nothing else.
resource "google_service_account" "own" {
  project      = var.project
  account_id   = var.name
  display_name = "what ${var.name} runs as"
}

resource "google_storage_bucket_iam_member" "releases" {
  bucket = var.bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.own.member
  condition {
    title      = var.name
    expression = "resource.name.startsWith(\"projects/_/buckets/${var.bucket}/objects/${var.name}/\")"
  }
}

# Callers and Google's health checks come in, and SSH by Google's tunnel.
resource "google_compute_firewall" "callers" {
  project                 = var.project
  name                    = "${var.name}-callers"
  network                 = var.network
  source_ranges           = setunion(var.callers, ["130.211.0.0/22", "35.191.0.0/16"])
  target_service_accounts = [google_service_account.own.email]
  allow {
    protocol = "tcp"
    ports    = ["8080"]
  }
}

resource "google_compute_firewall" "sessions" {
  count                   = var.sessions ? 1 : 0
  project                 = var.project
  name                    = "${var.name}-sessions"
  network                 = var.network
  source_ranges           = ["35.235.240.0/20"]
  target_service_accounts = [google_service_account.own.email]
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
}

resource "google_compute_instance_template" "release" {
  project      = var.project
  name         = "${var.name}-${substr(var.release, 0, 12)}"
  region       = var.region
  machine_type = var.machine
  labels       = var.labels
  metadata = {
    flyweight-name         = var.name
    flyweight-release      = var.release
    flyweight-bucket       = var.bucket
    block-project-ssh-keys = "true"
    enable-oslogin         = "true"
    user-data              = file("${path.module}/../../vm/cloud-init.yaml")
  }
  disk {
    source_image = "ubuntu-os-cloud/ubuntu-2404-lts-amd64"
    boot         = true
  }
  network_interface {
    network = var.network
  }
  service_account {
    email  = google_service_account.own.email
    scopes = ["https://www.googleapis.com/auth/devstorage.read_only"]
  }
  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }
  lifecycle {
    create_before_destroy = true # the group is updated in between
  }
}

resource "google_compute_region_health_check" "ready" {
  project             = var.project
  region              = var.region
  name                = var.name
  check_interval_sec  = 10
  timeout_sec         = 5
  healthy_threshold   = 2
  unhealthy_threshold = 3
  http_health_check {
    port         = 8080
    request_path = "/ready"
  }
}

resource "google_compute_region_instance_group_manager" "machines" {
  project            = var.project
  region             = var.region
  name               = var.name
  base_instance_name = var.name
  wait_for_instances = true
  version {
    instance_template = google_compute_instance_template.release.id
  }
  auto_healing_policies {
    health_check      = google_compute_region_health_check.ready.id
    initial_delay_sec = 180
  }
  update_policy { # a machine more in each of three zones, before one goes
    type                  = "PROACTIVE"
    minimal_action        = "REPLACE"
    max_surge_fixed       = 3
    max_unavailable_fixed = 0
  }
  depends_on = [google_storage_bucket_iam_member.releases]
}

resource "google_compute_region_autoscaler" "machines" {
  project = var.project
  region  = var.region
  name    = var.name
  target  = google_compute_region_instance_group_manager.machines.id
  autoscaling_policy {
    min_replicas = var.replicas.least
    max_replicas = var.replicas.most
    cpu_utilization {
      target = 0.6
    }
  }
}

# The load balancer.
resource "google_compute_region_backend_service" "machines" {
  project                         = var.project
  region                          = var.region
  name                            = var.name
  load_balancing_scheme           = "INTERNAL"
  protocol                        = "TCP"
  health_checks                   = [google_compute_region_health_check.ready.id]
  connection_draining_timeout_sec = 30
  backend {
    group          = google_compute_region_instance_group_manager.machines.instance_group
    balancing_mode = "CONNECTION"
  }
}

resource "google_compute_forwarding_rule" "machines" {
  project               = var.project
  region                = var.region
  name                  = var.name
  load_balancing_scheme = "INTERNAL"
  network               = var.network
  ports                 = ["8080"]
  backend_service       = google_compute_region_backend_service.machines.id
}

output "address" {
  description = "The load balancer's address within the network; the model answers at http://ADDRESS:8080."
  value       = google_compute_forwarding_rule.machines.ip_address
}
