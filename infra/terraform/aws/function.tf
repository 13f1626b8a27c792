locals {
  has_dead_letters = var.queue || var.files_bucket != ""
  results = {
    ""      = ""
    "queue" = "sqs://${var.name}-results"
    "table" = "dynamodb://${var.name}-results"
  }
  model_path = var.model == "" ? "" : split("@", trimprefix(var.model, "s3://"))[0]
  arn        = "arn:${data.aws_partition.current.partition}"
  kms_key    = var.kms_key_arn == "" ? null : var.kms_key_arn
  boundary   = var.permissions_boundary == "" ? null : var.permissions_boundary
  streaming  = var.streaming ? { FLYWEIGHT_STREAMING = "true" } : {}
  role_arn   = var.role_arn == "" ? one(aws_iam_role.function[*].arn) : var.role_arn
}

resource "aws_cloudwatch_log_group" "log" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key
  tags              = var.tags
}

resource "aws_lambda_function" "function" {
  function_name                  = var.name
  filename                       = var.package
  source_code_hash               = filebase64sha256(var.package)
  handler                        = "app.lambda_handler"
  runtime                        = "python${var.python_version}"
  architectures                  = [var.architecture]
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency
  layers                         = var.powertools_layer == "" ? [] : [var.powertools_layer]
  role                           = local.role_arn
  kms_key_arn                    = local.kms_key
  publish                        = true
  tags                           = var.tags

  ephemeral_storage {
    size = var.ephemeral_storage
  }
  dynamic "vpc_config" {
    for_each = var.subnet_ids == "" ? [] : [1]
    content {
      subnet_ids         = split(",", var.subnet_ids)
      security_group_ids = split(",", var.security_group_ids)
    }
  }
  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }
  dynamic "snap_start" {
    for_each = var.snap_start ? [1] : []
    content {
      apply_on = "PublishedVersions"
    }
  }
  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.log.name
  }
  environment {
    variables = merge(var.client == "own" ? { AWS_LAMBDA_EXEC_WRAPPER = "/var/task/flyweight_wrapper" } : {}, local.streaming, {
      FLYWEIGHT_MODEL            = var.model
      FLYWEIGHT_OBSERVABILITY    = var.observability
      FLYWEIGHT_RESULTS          = local.results[var.results]
      FLYWEIGHT_DEAD_LETTERS     = local.has_dead_letters ? "sqs://${var.name}-dead-letters" : ""
      FLYWEIGHT_OUTPUT           = var.files_bucket == "" ? "" : "s3://${var.files_bucket}/out"
      FLYWEIGHT_CORS_ORIGINS     = var.cors_origins
      FLYWEIGHT_CORS_HEADERS     = var.cors_headers
      FLYWEIGHT_CORS_CREDENTIALS = tostring(var.cors_credentials)
      FLYWEIGHT_CORS_MAX_AGE     = tostring(var.cors_max_age)
      POWERTOOLS_SERVICE_NAME    = var.name
    })
  }
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count                             = var.provisioned_concurrency > 0 ? 1 : 0
  function_name                     = aws_lambda_function.function.function_name
  qualifier                         = local.alias.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

resource "aws_iam_role" "function" {
  count                = var.role_arn == "" ? 1 : 0
  name_prefix          = substr("${var.name}-", 0, 38)
  permissions_boundary = local.boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

# The function writes its own log; each further right comes with the variable that needs it, on the resource that it needs.
resource "aws_iam_role_policy" "function" {
  count = var.role_arn == "" ? 1 : 0
  name  = "function"
  role  = aws_iam_role.function[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.log.arn}:*"] # the streams of this group
      }],
      [for path in compact([local.model_path]) : {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = [for end in ["", ".sig", "/*"] : "${local.arn}:s3:::${path}${end}"]
      }],
      [for queue in concat(aws_sqs_queue.input, aws_sqs_queue.files) : {
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = [queue.arn]
      }],
      [for queue in concat(aws_sqs_queue.dead_letters, aws_sqs_queue.results) : {
        Effect   = "Allow"
        Action   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        Resource = [queue.arn]
      }],
      [for table in aws_dynamodb_table.results : {
        Effect   = "Allow"
        Action   = ["dynamodb:PutItem"]
        Resource = [table.arn]
      }],
      [for bucket in compact([var.files_bucket]) : {
        Effect   = "Allow"
        Action   = ["s3:ListBucket"] # without it S3 says of an object that is not there that it is forbidden
        Resource = ["${local.arn}:s3:::${bucket}"]
      }],
      [for bucket in compact([var.files_bucket]) : {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${local.arn}:s3:::${bucket}/in/*"]
      }],
      [for bucket in compact([var.files_bucket]) : {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = ["${local.arn}:s3:::${bucket}/out/*"]
      }],
      [for tracing in var.tracing ? [1] : [] : {
        Effect   = "Allow"
        Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        Resource = ["*"] # IAM knows no resource for these two
      }],
      [for network in compact([var.subnet_ids]) : { # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
        Effect   = "Allow"
        Action   = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
        Resource = ["*"] # Lambda makes the interfaces before they have a name
      }],
      [for key in compact([var.kms_key_arn]) : {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.kms_key_arn]
      }],
    )
  })
}
