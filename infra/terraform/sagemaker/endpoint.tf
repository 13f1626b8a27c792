locals {
  endpoint  = var.kind != "transform"
  instances = contains(["realtime", "async", "multi"], var.kind)
  async     = var.kind == "async"
  multi     = var.kind == "multi"
  files     = contains(["async", "transform"], var.kind)
  apart     = var.model_data != "" && !local.multi
  kms_key   = var.kms_key_arn == "" ? null : var.kms_key_arn
}

# A change of the image or of the model makes another model and another configuration; the endpoint then moves to them.
resource "aws_sagemaker_model" "model" {
  execution_role_arn       = var.role_arn == "" ? aws_iam_role.model[0].arn : var.role_arn
  enable_network_isolation = var.network_isolation && var.kind != "serverless"
  tags                     = var.tags
  primary_container {
    image          = var.image
    mode           = local.multi ? "MultiModel" : "SingleModel"
    model_data_url = var.model_data == "" ? null : var.model_data
    environment = merge(
      { FLYWEIGHT_PROTOCOLS = local.multi ? "sagemaker_models,sagemaker" : "sagemaker" },
      local.multi ? { FLYWEIGHT_CACHE_BYTES = tostring(var.models_bytes) } : {},
      local.apart ? { FLYWEIGHT_MODEL = "/opt/ml/model/model.safetensors" } : {},
      var.model_sha256 != "" && !local.multi ? { FLYWEIGHT_SHA256 = var.model_sha256 } : {},
    )
  }
  dynamic "vpc_config" {
    for_each = var.subnet_ids == "" ? [] : [1]
    content {
      subnets            = split(",", var.subnet_ids)
      security_group_ids = split(",", var.security_group_ids)
    }
  }
  depends_on = [aws_iam_role_policy.model]
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "log" {
  count             = local.endpoint ? 1 : 0
  name              = "/aws/sagemaker/Endpoints/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key
  tags              = var.tags
}

resource "aws_sagemaker_endpoint_configuration" "endpoint" {
  count       = local.endpoint ? 1 : 0
  name_prefix = "${substr(var.name, 0, 30)}-"
  kms_key_arn = local.instances ? local.kms_key : null
  tags        = var.tags
  production_variants {
    variant_name                                      = "AllTraffic"
    model_name                                        = aws_sagemaker_model.model.name
    initial_variant_weight                            = 1
    instance_type                                     = local.instances ? var.instance_type : null
    initial_instance_count                            = local.instances ? max(var.min_instances, 1) : null
    container_startup_health_check_timeout_in_seconds = local.instances ? var.startup_seconds : null
    dynamic "serverless_config" {
      for_each = var.kind == "serverless" ? [1] : []
      content {
        memory_size_in_mb       = var.memory_mb
        max_concurrency         = var.max_concurrency
        provisioned_concurrency = var.provisioned_concurrency == 0 ? null : var.provisioned_concurrency
      }
    }
  }
  dynamic "async_inference_config" {
    for_each = local.async ? [1] : []
    content {
      output_config {
        s3_output_path  = "${var.output_path}answers"
        s3_failure_path = "${var.output_path}failures"
        kms_key_id      = local.kms_key
      }
    }
  }
  dynamic "data_capture_config" {
    for_each = var.capture_path == "" ? [] : [1]
    content {
      enable_capture              = true
      initial_sampling_percentage = var.capture_percent
      destination_s3_uri          = var.capture_path
      kms_key_id                  = local.kms_key
      capture_options {
        capture_mode = "Input"
      }
      capture_options {
        capture_mode = "Output"
      }
      capture_content_type_header {
        csv_content_types  = ["text/csv"]
        json_content_types = ["application/json", "application/jsonlines"]
      }
    }
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint" "endpoint" {
  count                = local.endpoint ? 1 : 0
  name                 = var.name
  endpoint_config_name = aws_sagemaker_endpoint_configuration.endpoint[0].name
  tags                 = var.tags
  depends_on           = [aws_cloudwatch_log_group.log] # else SageMaker makes the log, which is then kept for ever
}

resource "aws_appautoscaling_target" "instances" {
  count              = local.instances ? 1 : 0
  service_namespace  = "sagemaker"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  resource_id        = "endpoint/${aws_sagemaker_endpoint.endpoint[0].name}/variant/AllTraffic"
  min_capacity       = var.min_instances
  max_capacity       = var.max_instances
}

resource "aws_appautoscaling_policy" "instances" {
  count              = length(aws_appautoscaling_target.instances)
  name               = "${var.name}-target"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.instances[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.instances[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.instances[0].resource_id
  target_tracking_scaling_policy_configuration {
    target_value = local.async ? var.target_backlog : var.target_invocations
    dynamic "predefined_metric_specification" {
      for_each = local.async ? [] : [1]
      content {
        predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
      }
    }
    dynamic "customized_metric_specification" {
      for_each = local.async ? [1] : []
      content {
        namespace   = "AWS/SageMaker"
        metric_name = "ApproximateBacklogSizePerInstance"
        statistic   = "Average"
        dimensions {
          name  = "EndpointName"
          value = var.name
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "faults" {
  count               = local.endpoint && var.alarm_topic != "" ? 1 : 0
  alarm_name          = "${var.name}-faults"
  alarm_description   = "The endpoint answers with faults of its own."
  namespace           = "AWS/SageMaker"
  metric_name         = "Invocation5XXErrors"
  dimensions          = { EndpointName = var.name, VariantName = "AllTraffic" }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic]
  tags                = var.tags
}

output "url" {
  description = "Takes signed requests at /invocations; empty where no answer comes in the same connection."
  value       = contains(["serverless", "realtime", "multi"], var.kind) ? "https://runtime.sagemaker.${data.aws_region.current.name}.amazonaws.com/endpoints/${var.name}" : ""
}

output "model_name" {
  description = "What a batch transform job names."
  value       = aws_sagemaker_model.model.name
}
