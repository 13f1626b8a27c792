# The metric and the alert of infra/gcp, and a budget.
locals {
  metric    = yamldecode(file("${path.module}/../../gcp/metric.yaml"))
  alert     = yamldecode(file("${path.module}/../../gcp/alert.yaml"))
  threshold = local.alert.conditions[0].conditionThreshold
}

resource "google_logging_metric" "errors" {
  count       = var.alert_channel == null ? 0 : 1
  project     = var.project
  name        = "flyweight-errors"
  description = local.metric.description
  filter      = local.metric.filter
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
      filter          = local.threshold.filter
      comparison      = local.threshold.comparison
      threshold_value = local.threshold.thresholdValue
      duration        = local.threshold.duration
      aggregations {
        alignment_period     = local.threshold.aggregations[0].alignmentPeriod
        per_series_aligner   = local.threshold.aggregations[0].perSeriesAligner
        cross_series_reducer = local.threshold.aggregations[0].crossSeriesReducer
        group_by_fields      = local.threshold.aggregations[0].groupByFields
      }
    }
  }
  documentation {
    mime_type = local.alert.documentation.mimeType
    content   = local.alert.documentation.content
  }
  depends_on = [google_logging_metric.errors]
}

data "google_project" "own" {
  count      = var.budget == null ? 0 : 1
  project_id = var.project
}

resource "google_billing_budget" "month" {
  count           = var.budget == null ? 0 : 1
  billing_account = var.budget.billing_account
  display_name    = var.name
  budget_filter {
    projects = ["projects/${data.google_project.own[0].number}"]
  }
  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = var.budget.units
    }
  }
  threshold_rules {
    threshold_percent = 0.5
  }
  threshold_rules {
    threshold_percent = 0.9
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }
}
