# Each further right comes with the variable that needs it, on the resource that it needs.
locals {
  arn        = "arn:${data.aws_partition.current.partition}"
  registry   = split(".", var.image)
  repository = split(":", split("@", split("amazonaws.com/", var.image)[1])[0])[0]
  log        = local.endpoint ? "Endpoints/${var.name}" : "TransformJobs"
  metrics    = local.endpoint ? "Endpoints" : "TransformJobs"
  data       = trimprefix(var.model_data, "s3://")
  input      = trimprefix(var.input_path, "s3://")
  output     = trimprefix(var.output_path, "s3://")
  copies     = trimprefix(var.capture_path, "s3://")
  network = [
    "ec2:CreateNetworkInterface", "ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission", "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DescribeDhcpOptions",
    "ec2:DescribeSubnets", "ec2:DescribeSecurityGroups",
  ]
  rights = concat(
    [
      { actions = ["ecr:GetAuthorizationToken"], places = ["*"] },
      {
        actions = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
        places  = ["${local.arn}:ecr:${local.registry[3]}:${local.registry[0]}:repository/${local.repository}"]
      },
      {
        actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        places  = ["${local.arn}:logs:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:log-group:/aws/sagemaker/${local.log}:*"]
      },
    ],
    local.apart ? [{ actions = ["s3:GetObject"], places = ["${local.arn}:s3:::${local.data}"] }] : [],
    local.multi ? [
      { actions = ["s3:GetObject"], places = ["${local.arn}:s3:::${local.data}*"] },
      { actions = ["s3:ListBucket"], places = ["${local.arn}:s3:::${split("/", local.data)[0]}"] },
    ] : [],
    local.files ? [
      { actions = ["s3:GetObject"], places = ["${local.arn}:s3:::${local.input}*"] },
      { actions = ["s3:ListBucket"], places = ["${local.arn}:s3:::${split("/", local.input)[0]}"] },
      { actions = ["s3:PutObject", "s3:AbortMultipartUpload"], places = ["${local.arn}:s3:::${local.output}*"] },
    ] : [],
    var.capture_path != "" ? [{ actions = ["s3:PutObject"], places = ["${local.arn}:s3:::${local.copies}*"] }] : [],
    var.subnet_ids != "" ? [{ actions = local.network, places = ["*"] }] : [],
    local.kms_key != null ? [{ actions = ["kms:Decrypt", "kms:GenerateDataKey"], places = [var.kms_key_arn] }] : [],
  )
}

resource "aws_iam_role" "model" {
  count                = var.role_arn == "" ? 1 : 0
  name_prefix          = "${substr(var.name, 0, 30)}-"
  permissions_boundary = var.permissions_boundary == "" ? null : var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sagemaker.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "model" {
  count = length(aws_iam_role.model)
  name  = "model"
  role  = aws_iam_role.model[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [for right in local.rights : { Effect = "Allow", Action = right.actions, Resource = right.places }],
      [{
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"]
        Resource  = ["*"]
        Condition = { StringEquals = { "cloudwatch:namespace" = "/aws/sagemaker/${local.metrics}" } }
      }],
      local.kms_key == null ? [] : [{
        Effect    = "Allow"
        Action    = ["kms:CreateGrant"]
        Resource  = [var.kms_key_arn]
        Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
      }],
    )
  })
}
