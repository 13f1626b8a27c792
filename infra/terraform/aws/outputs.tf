output "url" {
  description = "Where POST /predict, GET /health, /ready, /model and /openapi.json are answered; null without an endpoint."
  value       = one(concat(aws_apigatewayv2_api.api[*].api_endpoint, aws_api_gateway_stage.keys[*].invoke_url, aws_lambda_function_url.url[*].function_url))
}

output "domain_target" {
  description = "What the DNS record of domain_name names, if hosted_zone_id is empty."
  value       = one([for domain in aws_apigatewayv2_domain_name.domain : domain.domain_name_configuration[0].target_domain_name])
}

output "function_name" {
  value = aws_lambda_function.function.function_name
}

output "api_key" {
  description = "For access = api-key, what callers send as x-api-key."
  value       = one(aws_api_gateway_api_key.key[*].value)
  sensitive   = true
}

output "queue_url" {
  value = one(aws_sqs_queue.input[*].url)
}

output "dead_letters_url" {
  value = one(aws_sqs_queue.dead_letters[*].url)
}

output "results_name" {
  value = one(concat(aws_sqs_queue.results[*].name, aws_dynamodb_table.results[*].name))
}

output "rollout" {
  description = "For rollout other than AllAtOnce, what has CodeDeploy shift the alias to the newest version, and waits; empty where it is there."
  value       = local.behind ? join(" ", local.rollout) : ""
}
