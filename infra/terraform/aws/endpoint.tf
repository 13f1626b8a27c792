locals {
  http_api = var.endpoint == "api" && var.access != "api-key" ? 1 : 0
  rest_api = var.endpoint == "api" && var.access == "api-key" ? 1 : 0 # HTTP APIs know no keys
  url      = var.endpoint == "function-url" ? 1 : 0
  open_url = local.url == 1 && var.access == "public" ? 1 : 0
  cors     = var.cors_origins != ""
  domain   = var.domain_name == "" ? 0 : 1
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

# Before a page's script may call, the browser asks whether it may, and signs nothing then; the function answers it.
resource "aws_apigatewayv2_route" "options" {
  for_each           = local.http_api == 1 && local.cors ? toset(["OPTIONS /", "OPTIONS /{proxy+}"]) : toset([])
  api_id             = aws_apigatewayv2_api.api[0].id
  route_key          = each.value
  authorization_type = "NONE"
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

resource "aws_api_gateway_method" "options" {
  for_each      = local.cors ? local.rest_resources : {}
  rest_api_id   = aws_api_gateway_rest_api.keys[0].id
  resource_id   = each.value
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "options" {
  for_each                = local.cors ? local.rest_resources : {}
  rest_api_id             = aws_api_gateway_rest_api.keys[0].id
  resource_id             = each.value
  http_method             = aws_api_gateway_method.options[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = local.alias.invoke_arn
}

# A deployment is a copy of the methods as they were: another one is made where OPTIONS is added to them or taken away.
resource "aws_api_gateway_deployment" "keys" {
  count       = local.rest_api
  rest_api_id = aws_api_gateway_rest_api.keys[0].id
  triggers    = local.cors ? { options = "true" } : null
  depends_on  = [aws_api_gateway_integration.keys, aws_api_gateway_integration.options]
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
  invoke_mode        = var.streaming ? "RESPONSE_STREAM" : "BUFFERED"
  dynamic "cors" { # what is not signed does not reach the function, so that Lambda answers a browser's question
    for_each = local.cors && var.access != "public" ? [1] : []
    content {
      allow_origins     = split(",", var.cors_origins)
      allow_methods     = ["*"]
      allow_headers     = var.cors_headers == "" ? ["*"] : split(",", var.cors_headers)
      allow_credentials = var.cors_credentials
      max_age           = var.cors_max_age
    }
  }
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

# A domain of one's own, for an HTTP API and for a REST API alike
resource "aws_apigatewayv2_domain_name" "domain" {
  count       = local.domain
  domain_name = var.domain_name
  tags        = var.tags
  domain_name_configuration {
    certificate_arn = var.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "domain" {
  count       = local.domain
  domain_name = aws_apigatewayv2_domain_name.domain[0].id
  api_id      = one(concat(aws_apigatewayv2_api.api[*].id, aws_api_gateway_rest_api.keys[*].id))
  stage       = one(concat(aws_apigatewayv2_stage.api[*].id, aws_api_gateway_stage.keys[*].stage_name))
}

resource "aws_route53_record" "domain" {
  count   = var.hosted_zone_id == "" ? 0 : local.domain
  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = "A"
  alias {
    name                   = aws_apigatewayv2_domain_name.domain[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.domain[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
