# All callers go through the alias, so that a rollback is one move of it. Who moves it is decided by rollout: `terraform apply` at
# once, or CodeDeploy in steps, which is told to by the output `rollout`; then Terraform must not. What Terraform leaves alone can't
# depend on a variable, so that there are two of it. To change over: terraform state mv 'aws_lambda_alias.live[0]' 'aws_lambda_alias.shifted[0]'
resource "aws_lambda_alias" "live" {
  count            = local.gradual ? 0 : 1
  name             = "live"
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
}

resource "aws_lambda_alias" "shifted" {
  count            = local.gradual ? 1 : 0
  name             = "live"
  function_name    = aws_lambda_function.function.function_name
  function_version = aws_lambda_function.function.version
  lifecycle {
    ignore_changes = [function_version, routing_config]
  }
}

locals {
  gradual = var.rollout != "AllAtOnce"
  alias   = one(concat(aws_lambda_alias.live, aws_lambda_alias.shifted))
  behind  = local.gradual && local.alias.function_version != aws_lambda_function.function.version
  shift = {
    function = {
      Type = "AWS::Lambda::Function"
      Properties = {
        Name           = aws_lambda_function.function.function_name
        Alias          = local.alias.name
        CurrentVersion = local.alias.function_version
        TargetVersion  = aws_lambda_function.function.version
      }
    }
  }
  revision = {
    revisionType   = "AppSpecContent"
    appSpecContent = { content = "{\"version\": 0.0, \"Resources\": [${jsonencode(local.shift)}]}" }
  }
  named  = local.gradual ? "--application-name ${aws_codedeploy_app.rollout[0].name} --deployment-group-name live" : ""
  region = "--region ${data.aws_region.current.name}"
  rollout = [
    "aws deploy wait deployment-successful ${local.region} --deployment-id",
    "$(aws deploy create-deployment ${local.region} ${local.named} --revision '${jsonencode(local.revision)}'",
    "--query deploymentId --output text)",
  ]
}

resource "aws_codedeploy_app" "rollout" {
  count            = local.gradual ? 1 : 0
  name             = var.name
  compute_platform = "Lambda"
  tags             = var.tags
}

resource "aws_codedeploy_deployment_group" "rollout" {
  count                  = local.gradual ? 1 : 0
  app_name               = aws_codedeploy_app.rollout[0].name
  deployment_group_name  = "live"
  deployment_config_name = "CodeDeployDefault.Lambda${var.rollout}"
  service_role_arn       = aws_iam_role.rollout[0].arn
  tags                   = var.tags
  deployment_style {
    deployment_option = "WITH_TRAFFIC_CONTROL"
    deployment_type   = "BLUE_GREEN"
  }
  alarm_configuration {
    enabled = true
    alarms  = [for name in local.failures : aws_cloudwatch_metric_alarm.alarm[name].alarm_name]
  }
  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
  }
  depends_on = [aws_iam_role_policy.rollout]
}

resource "aws_iam_role" "rollout" {
  count                = local.gradual ? 1 : 0
  name_prefix          = substr("${var.name}-", 0, 38)
  permissions_boundary = local.boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "codedeploy.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "rollout" {
  count = local.gradual ? 1 : 0
  name  = "move-alias"
  role  = aws_iam_role.rollout[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
        Resource = [aws_lambda_function.function.arn, local.alias.arn]
      },
      {
        Effect   = "Allow"
        Action   = ["cloudwatch:DescribeAlarms"]
        Resource = [for name in local.failures : aws_cloudwatch_metric_alarm.alarm[name].arn]
      },
    ]
  })
}
