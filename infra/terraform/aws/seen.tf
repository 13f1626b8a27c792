# The function answers its own faults with a status of 500 and more, which Lambda does not count among errors; the log tells.
resource "aws_cloudwatch_log_metric_filter" "faults" {
  count          = var.alarms || var.dashboard || local.gradual ? 1 : 0
  name           = "${var.name}-faults"
  log_group_name = aws_cloudwatch_log_group.log.name
  pattern        = "{ $.status >= 500 }"
  metric_transformation {
    namespace     = "flyweight/${var.name}"
    name          = "Faults"
    value         = "1"
    default_value = "0"
  }
}

locals {
  failures = ["errors", "faults"] # what a gradual rollout is taken back for
  of_alias = { FunctionName = var.name, Resource = "${var.name}:live" }
  alarms = merge(
    {
      faults    = { namespace = "flyweight/${var.name}", metric = "Faults", of = {}, most = 0, periods = 1, statistic = "Sum" }
      errors    = { namespace = "AWS/Lambda", metric = "Errors", of = local.of_alias, most = 0, periods = 1, statistic = "Sum" }
      throttles = { namespace = "AWS/Lambda", metric = "Throttles", of = local.of_alias, most = 0, periods = 3, statistic = "Sum" }
      # milliseconds: four fifths of the timeout
      duration = {
        namespace = "AWS/Lambda", metric = "Duration", of = local.of_alias, most = 800 * var.timeout, periods = 3, statistic = "Maximum"
      }
    },
    local.has_dead_letters ? {
      dead-letters = {
        namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", of = { QueueName = "${var.name}-dead-letters" }
        most      = 0, periods = 1, statistic = "Maximum"
      }
    } : {},
    var.queue ? {
      queue-age = {
        namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", of = { QueueName = "${var.name}-input" }
        most      = 300, periods = 3, statistic = "Maximum"
      }
    } : {},
  )
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each            = { for name, alarm in local.alarms : name => alarm if var.alarms || local.gradual && contains(local.failures, name) }
  alarm_name          = "${var.name}-${each.key}"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.of
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.periods
  threshold           = each.value.most
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = compact([var.alarm_topic])
  tags                = var.tags
}

resource "aws_cloudwatch_dashboard" "board" {
  count          = var.dashboard ? 1 : 0
  dashboard_name = "${var.name}-${data.aws_region.current.name}"
  dashboard_body = jsonencode({
    widgets = [for place, widget in [
      { title = "Invocations", stat = "Sum", metrics = [
        ["AWS/Lambda", "Invocations", "FunctionName", var.name], [".", "Errors", ".", "."], [".", "Throttles", ".", "."],
      ] },
      { title = "Faults", stat = "Sum", metrics = [["flyweight/${var.name}", "Faults"]] },
      { title = "Duration, ms", stat = "p95", metrics = [["AWS/Lambda", "Duration", "FunctionName", var.name]] },
      { title = "Concurrency", stat = "Maximum", metrics = [["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.name]] },
      ] : {
      type       = "metric", width = 12, height = 6, x = 12 * (place % 2), y = 6 * floor(place / 2)
      properties = { title = widget.title, stat = widget.stat, metrics = widget.metrics, period = 60, region = data.aws_region.current.name }
    }]
  })
}
