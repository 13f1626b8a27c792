locals {
  http_api = var.endpoint == "api" && var.access != "api-key" ? 1 : 0
  rest_api = var.endpoint == "api" && var.access == "api-key" ? 1 : 0 # HTTP APIs know no keys
  url      = var.endpoint == "function-url" ? 1 : 0
  open_url = local.url == 1 && var.access == "public" ? 1 : 0
  jwt      = local.http_api == 1 && var.access == "jwt" ? 1 : 0
}

resource "aws_apigatewayv2_api" "api" {
  count         = local.http_api
  name          = var.name
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_stage" "api" {
  count       = local.http_api
  api_id      = aws_apigatewayv2_api.api[0].id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags
  default_route_settings {
    throttling_rate_limit  = var.rate_limit
    throttling_burst_limit = var.burst_limit
  }
}

resource "aws_apigatewayv2_integration" "api" {
  count                  = local.http_api
  api_id                 = aws_apigatewayv2_api.api[0].id
  integration_type       = "AWS_PROXY"
  integration_uri        = local.alias.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count            = local.jwt
  api_id           = aws_apigatewayv2_api.api[0].id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]
  jwt_configuration {
    issuer   = var.jwt_issuer
    audience = [var.jwt_audience]
  }
}

resource "aws_apigatewayv2_route" "api" {
  for_each           = local.http_api == 1 ? toset(["ANY /", "ANY /{proxy+}"]) : toset([])
  api_id             = aws_apigatewayv2_api.api[0].id
  route_key          = each.value
  authorization_type = { iam = "AWS_IAM", jwt = "JWT", public = "NONE" }[var.access]
  authorizer_id      = one(aws_apigatewayv2_authorizer.jwt[*].id)
  target             = "integrations/${aws_apigatewayv2_integration.api[0].id}"
}

resource "aws_api_gateway_rest_api" "keys" {
  count = local.rest_api
  name  = var.name
  tags  = var.tags
  endpoint_configuration {
    types = ["REGIONAL"]
  }
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_resource" "proxy" {
  count       = local.rest_api
  rest_api_id = aws_api_gateway_rest_api.keys[0].id
  parent_id   = aws_api_gateway_rest_api.keys[0].root_resource_id
  path_part   = "{proxy+}"
}

locals {
  rest_resources = local.rest_api == 0 ? {} : {
    root  = aws_api_gateway_rest_api.keys[0].root_resource_id
    proxy = aws_api_gateway_resource.proxy[0].id
  }
}

resource "aws_api_gateway_method" "keys" {
  for_each         = local.rest_resources
  rest_api_id      = aws_api_gateway_rest_api.keys[0].id
  resource_id      = each.value
  http_method      = "ANY"
  authorization    = "NONE"
  api_key_required = true
}

resource "aws_api_gateway_integration" "keys" {
  for_each                = local.rest_resources
  rest_api_id             = aws_api_gateway_rest_api.keys[0].id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.keys[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = local.alias.invoke_arn
}

resource "aws_api_gateway_deployment" "keys" {
  count       = local.rest_api
  rest_api_id = aws_api_gateway_rest_api.keys[0].id
  depends_on  = [aws_api_gateway_integration.keys]
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "keys" {
  count                = local.rest_api
  rest_api_id          = aws_api_gateway_rest_api.keys[0].id
  deployment_id        = aws_api_gateway_deployment.keys[0].id
  stage_name           = "live"
  xray_tracing_enabled = var.tracing
  tags                 = var.tags
}

resource "aws_api_gateway_api_key" "key" {
  count = local.rest_api
  name  = var.name
  tags  = var.tags
}

resource "aws_api_gateway_usage_plan" "plan" {
  count = local.rest_api
  name  = var.name
  tags  = var.tags
  api_stages {
    api_id = aws_api_gateway_rest_api.keys[0].id
    stage  = aws_api_gateway_stage.keys[0].stage_name
  }
  throttle_settings {
    rate_limit  = var.rate_limit
    burst_limit = var.burst_limit
  }
  quota_settings {
    limit  = var.daily_quota
    period = "DAY"
  }
}

resource "aws_api_gateway_usage_plan_key" "key" {
  count         = local.rest_api
  key_id        = aws_api_gateway_api_key.key[0].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.plan[0].id
}

# API Gateway writes stage, method and path of a route behind the API's ARN, hence the pattern; the API has no other routes.
resource "aws_lambda_permission" "api" {
  count         = var.endpoint == "api" ? 1 : 0
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function.function_name
  qualifier     = local.alias.name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${one(concat(aws_apigatewayv2_api.api[*].execution_arn, aws_api_gateway_rest_api.keys[*].execution_arn))}/*"
}

resource "aws_lambda_function_url" "url" {
  count              = local.url
  function_name      = aws_lambda_function.function.function_name
  qualifier          = local.alias.name
  authorization_type = var.access == "public" ? "NONE" : "AWS_IAM"
}

resource "aws_lambda_permission" "url" {
  count                  = local.open_url
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = aws_lambda_function.function.function_name
  qualifier              = local.alias.name
  principal              = "*"
  function_url_auth_type = "NONE"
}

# A public URL needs both: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html. The provider has a word for the second since
# 6.28 only, and adds it where a URL is made public from the start; CloudFormation's is as good for every version, and for every change.
resource "aws_cloudformation_stack" "url" {
  count = local.open_url
  name  = "${var.name}-url"
  tags  = var.tags
  template_body = jsonencode({
    Resources = {
      UrlInvokePermission = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          Action                = "lambda:InvokeFunction"
          FunctionName          = local.alias.arn
          InvokedViaFunctionUrl = true
          Principal             = "*"
        }
      }
    }
  })
}
