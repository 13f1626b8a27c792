resource "aws_sqs_queue" "dead_letters" {
  count                     = local.has_dead_letters ? 1 : 0
  name                      = "${var.name}-dead-letters"
  sqs_managed_sse_enabled   = local.kms_key == null ? true : null
  kms_master_key_id         = local.kms_key
  message_retention_seconds = 1209600
  tags                      = var.tags
}

resource "aws_sqs_queue" "results" {
  count                     = var.results == "queue" ? 1 : 0
  name                      = "${var.name}-results"
  sqs_managed_sse_enabled   = local.kms_key == null ? true : null
  kms_master_key_id         = local.kms_key
  message_retention_seconds = 1209600
  tags                      = var.tags
}

resource "aws_dynamodb_table" "results" {
  count        = var.results == "table" ? 1 : 0
  name         = "${var.name}-results"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "key"
  tags         = var.tags
  attribute {
    name = "key"
    type = "S"
  }
  server_side_encryption {
    enabled     = true
    kms_key_arn = local.kms_key
  }
  point_in_time_recovery {
    enabled = true
  }
}

resource "aws_sqs_queue" "input" {
  count                      = var.queue ? 1 : 0
  name                       = "${var.name}-input"
  sqs_managed_sse_enabled    = local.kms_key == null ? true : null
  kms_master_key_id          = local.kms_key
  visibility_timeout_seconds = 6 * var.timeout
  tags                       = var.tags
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[0].arn
    maxReceiveCount     = 5
  })
}

resource "aws_lambda_event_source_mapping" "queue" {
  count                              = var.queue ? 1 : 0
  event_source_arn                   = aws_sqs_queue.input[0].arn
  function_name                      = local.alias.arn
  batch_size                         = var.queue_batch_size
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = var.queue_concurrency
  }
}

# S3 tells a queue, so that a file that takes several invocations, or fails, comes again until it is done.
resource "aws_sqs_queue" "files" {
  count                      = var.files_bucket == "" ? 0 : 1
  name                       = "${var.name}-files"
  sqs_managed_sse_enabled    = local.kms_key == null ? true : null
  kms_master_key_id          = local.kms_key
  visibility_timeout_seconds = 6 * var.timeout
  tags                       = var.tags
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[0].arn
    maxReceiveCount     = 100
  })
}

resource "aws_sqs_queue_policy" "files" {
  count     = length(aws_sqs_queue.files)
  queue_url = aws_sqs_queue.files[0].url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.files[0].arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = aws_s3_bucket.bucket["files"].arn }
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
      }
    }]
  })
}

resource "aws_s3_bucket_notification" "files" {
  count  = length(aws_sqs_queue.files)
  bucket = aws_s3_bucket.bucket["files"].id
  queue {
    queue_arn     = aws_sqs_queue.files[0].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "in/"
  }
  depends_on = [aws_sqs_queue_policy.files]
}

resource "aws_lambda_event_source_mapping" "files" {
  count                   = length(aws_sqs_queue.files)
  event_source_arn        = aws_sqs_queue.files[0].arn
  function_name           = local.alias.arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = var.queue_concurrency
  }
}

resource "aws_cloudwatch_event_rule" "schedule" {
  count               = var.schedule == "" ? 0 : 1
  name                = "${var.name}-schedule"
  schedule_expression = var.schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "schedule" {
  count = length(aws_cloudwatch_event_rule.schedule)
  rule  = aws_cloudwatch_event_rule.schedule[0].name
  arn   = local.alias.arn
}

resource "aws_lambda_permission" "schedule" {
  count         = length(aws_cloudwatch_event_rule.schedule)
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function.function_name
  qualifier     = local.alias.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.schedule[0].arn
}
