"""Least privilege on AWS: each action that the template grants is used by a named line, and each resource is named."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.targets.aws.cloudformation import Stack
from tests.targets.handler import ROOT

MODULE = ROOT / "infra" / "terraform" / "aws"
STORE, SINKS = "shared/flyweight/stores/objects.py", "handlers/aws/aws_sinks.py"

# Action -> file, function, and what it calls there. obstore's `get`, `head` and ranges are all s3:GetObject, its multipart
# uploads are s3:PutObject and, when one breaks off, s3:AbortMultipartUpload; a batch of messages is sqs:SendMessage.
BY_CODE = {
    "s3:GetObject": (STORE, "get", "self._library.get("),
    "s3:PutObject": (STORE, "put", "self._library.put("),
    "s3:AbortMultipartUpload": (STORE, "put_stream", "use_multipart=True"),
    "s3:DeleteObject": (STORE, "delete", "self._library.delete("),
    "s3:ListBucket": (STORE, "keys", "self._library.list("),
    "sqs:GetQueueUrl": (SINKS, "_queue", "client.get_queue_url("),
    "sqs:SendMessage": (SINKS, "_queue", "client.send_message_batch("),
    "dynamodb:PutItem": (SINKS, "_table", "client.put_item("),
}
# Action -> the type of resource for which AWS itself uses it in the role's name, and the property that asks for that.
BY_AWS = {
    "logs:CreateLogStream": ("AWS::Lambda::Function", "LoggingConfig"),
    "logs:PutLogEvents": ("AWS::Lambda::Function", "LoggingConfig"),
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    "sqs:ReceiveMessage": ("AWS::Lambda::EventSourceMapping", "EventSourceArn"),
    "sqs:DeleteMessage": ("AWS::Lambda::EventSourceMapping", "EventSourceArn"),
    "sqs:GetQueueAttributes": ("AWS::Lambda::EventSourceMapping", "EventSourceArn"),
    # https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
    "xray:PutTraceSegments": ("AWS::Lambda::Function", "TracingConfig"),
    "xray:PutTelemetryRecords": ("AWS::Lambda::Function", "TracingConfig"),
    # https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
    "lambda:GetAlias": ("AWS::CodeDeploy::DeploymentGroup", "ServiceRoleArn"),
    "lambda:UpdateAlias": ("AWS::CodeDeploy::DeploymentGroup", "ServiceRoleArn"),
    "lambda:GetProvisionedConcurrencyConfig": ("AWS::CodeDeploy::DeploymentGroup", "ServiceRoleArn"),
    "cloudwatch:DescribeAlarms": ("AWS::CodeDeploy::DeploymentGroup", "AlarmConfiguration"),
}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
NETWORK = {
    *("ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface"),
    *("ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
}
BY_AWS |= {action: ("AWS::Lambda::Function", "VpcConfig") for action in NETWORK}
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html and
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
KEY = {"kms:Decrypt", "kms:GenerateDataKey"}
BY_AWS |= {"kms:Decrypt": ("AWS::Lambda::Function", "KmsKeyArn"), "kms:GenerateDataKey": ("AWS::SQS::Queue", "KmsMasterKeyId")}
WITHOUT_RESOURCE = NETWORK | {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}  # IAM takes nothing but "*" for these

LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
TAKE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
SEND = {"sqs:GetQueueUrl", "sqs:SendMessage"}
FILES = {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
MOVE = {action for action, (kind, _) in BY_AWS.items() if kind == "AWS::CodeDeploy::DeploymentGroup"}
EVERYTHING = {
    "Model": "s3://my-models/models/penguins@prod",
    "Queue": "true",
    "Results": "table",
    "FilesBucket": "my-files",
    "Tracing": "true",
    "Rollout": "Canary10Percent5Minutes",
    "SubnetIds": "subnet-12345678",
    "SecurityGroupIds": "sg-12345678",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012",
}

Stacks = Callable[..., Stack]


def statements(made: Stack) -> Iterator[tuple[set[str], list[Any]]]:
    """Actions and resources of each statement of each role."""
    kinds = {resource["Type"] for resource in made.resources.values()}
    assert not kinds & {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"}
    for role in made.of_type("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                actions, places = statement["Action"], statement["Resource"]
                yield {actions} if isinstance(actions, str) else {*actions}, places if isinstance(places, list) else [places]


def granted(made: Stack) -> set[str]:
    return {action for actions, _ in statements(made) for action in actions}


@pytest.mark.parametrize(
    ("parameters", "rights"),
    [
        ({}, set()),
        ({"Endpoint": "function-url"}, set()),
        ({"Access": "api-key"}, set()),
        ({"Model": EVERYTHING["Model"]}, {"s3:GetObject"}),
        ({"ModelBucket": "my-models"}, set()),
        ({"Queue": "true", "Results": "queue"}, TAKE | SEND),
        ({"Results": "table"}, {"dynamodb:PutItem"}),
        ({"FilesBucket": "my-files"}, FILES | TAKE | SEND),
        ({"Schedule": "rate(5 minutes)", "Alarms": "true", "Dashboard": "true", "SnapStart": "true"}, set()),
        ({"Tracing": "true"}, WITHOUT_RESOURCE - NETWORK),
        ({"SubnetIds": EVERYTHING["SubnetIds"], "SecurityGroupIds": EVERYTHING["SecurityGroupIds"]}, NETWORK),
        ({"KmsKeyArn": EVERYTHING["KmsKeyArn"]}, KEY),
        ({"CorsOrigins": "*", "DomainName": "api.example.com", "CertificateArn": "arn"}, set()),
        ({"Rollout": "Canary10Percent5Minutes"}, MOVE),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_beside_its_own_log_a_function_may_do_what_its_parameters_ask_for(
    parameters: dict[str, str], rights: set[str], stack: Stacks
) -> None:
    assert granted(stack(**parameters)) == LOG | rights


def test_each_action_that_is_granted_is_used(stack: Stacks) -> None:
    made = stack(**EVERYTHING)
    assert granted(made) == BY_CODE.keys() | BY_AWS.keys()
    for kind, asking in BY_AWS.values():
        assert any(asking in properties for properties in made.of_type(kind)), (kind, asking)


@pytest.mark.parametrize("action", BY_CODE)
def test_the_line_that_uses_an_action_is_where_the_table_says(action: str) -> None:
    file, function, call = BY_CODE[action]
    text = (ROOT / file).read_text()
    bodies = [
        ast.get_source_segment(text, node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    assert any(call in (body or "") for body in bodies)


def test_each_resource_is_named(stack: Stacks) -> None:
    """By a reference to it or by its ARN; `/*` stands for the keys below a named folder of a named bucket only."""
    for actions, places in statements(stack(**EVERYTHING)):
        for place in places:
            if place == "*":
                assert actions <= WITHOUT_RESOURCE
                continue
            ((word, operand),) = place.items()
            text = operand if isinstance(operand, str) else operand[0]
            assert word in ("Fn::GetAtt", "Fn::Sub")
            assert "*" not in text.removesuffix("/*")
            if text.endswith("/*"):
                assert text.startswith("arn:${AWS::Partition}:s3:::${") and all(action.startswith("s3:") for action in actions)


def of_module() -> list[tuple[set[str], str]]:
    """Actions and the expression for resources of each statement that a role of the Terraform module has."""
    text = "".join((MODULE / file).read_text() for file in ("function.tf", "rollout.tf"))
    found = re.findall(r"Effect +\= \"Allow\"\n +Action +\= \[(.*)\].*\n +Resource +\= \[(.*)\]", text)
    assert len(found) == text.count("Effect   = ")  # of a role; who may take it stands in one line
    return [(set(re.findall(r'"([^"]+)"', actions)), places) for actions, places in found]


def test_the_terraform_module_grants_the_same() -> None:
    """Read as it is written, whether there is a provider here or not; `test_aws_terraform.py` applies it."""
    assert {action for actions, _ in of_module() for action in actions} == BY_CODE.keys() | BY_AWS.keys()


def test_each_resource_of_the_terraform_module_is_named() -> None:
    """The streams of the one log, and the keys below a named folder of a named bucket, are all that stands behind a pattern."""
    for actions, places in of_module():
        patterns = [place for place in re.findall(r'"([^"]*)"', places) if "*" in place]
        if actions <= WITHOUT_RESOURCE:
            assert patterns == ["*"]
        elif actions == LOG:
            assert patterns == ["${aws_cloudwatch_log_group.log.arn}:*"]
        elif patterns:
            assert all(action.startswith("s3:") for action in actions)
            assert "${local.arn}:s3:::${" in places and all(place.endswith("/*") for place in patterns)
        else:
            assert ".arn" in places or "${local.arn}:s3:::${" in places or places == "var.kms_key_arn"


def test_services_may_invoke_the_function_for_the_one_resource_that_calls_it(stack: Stacks) -> None:
    made = [stack(Schedule="rate(5 minutes)"), stack(Access="api-key")]
    for permission in [each for one in made for each in one.of_type("AWS::Lambda::Permission")]:
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] in ("apigateway.amazonaws.com", "events.amazonaws.com")
        assert any(name in str(permission["SourceArn"]) for name in ("${Api}", "${RestApi}", "ScheduleRule"))


def test_s3_may_send_to_the_one_queue_from_the_one_bucket(stack: Stacks) -> None:
    (policy,) = stack(FilesBucket="my-files").of_type("AWS::SQS::QueuePolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == {"Fn::GetAtt": ["FilesQueue", "Arn"]}
    assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${FilesBucket}"}}
