"""Least privilege on SageMaker: each kind's role may do what its parameters ask for, on named resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.targets.aws.cloudformation import Stack
from tests.targets.aws.test_infra_rights import granted, statements
from tests.targets.sagemaker.conftest import EVERYTHING, KINDS, everything

Stacks = Callable[..., Stack]
# What SageMaker itself does in the role's name, and the property for which it does it:
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
OF_IMAGE = {"ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"}
OF_LOG = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "cloudwatch:PutMetricData",
}
NETWORK = {
    f"ec2:{verb}"
    for verb in (
        *("CreateNetworkInterface", "CreateNetworkInterfacePermission", "DeleteNetworkInterface"),
        *("DeleteNetworkInterfacePermission", "DescribeNetworkInterfaces", "DescribeVpcs", "DescribeDhcpOptions"),
        *("DescribeSubnets", "DescribeSecurityGroups"),
    )
}
USUAL = OF_IMAGE | OF_LOG
# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint-prerequisites.html
FILES = {"s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"}
KEY = {"kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"}
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"} | NETWORK  # IAM takes nothing but "*" for these


@pytest.mark.parametrize(
    ("parameters", "rights"),
    [
        ({}, set()),
        ({"Kind": "realtime"}, set()),
        ({"ModelData": EVERYTHING["ModelData"]}, {"s3:GetObject"}),
        ({"Kind": "multi", **KINDS["multi"]}, {"s3:GetObject", "s3:ListBucket"}),
        ({"Kind": "async", **KINDS["async"]}, FILES),
        ({"Kind": "transform", **KINDS["transform"]}, FILES),
        ({"Kind": "realtime", "CapturePath": "s3://b/copies/"}, {"s3:PutObject"}),
        ({"Kind": "realtime", "SubnetIds": "subnet-12345678", "SecurityGroupIds": "sg-12345678"}, NETWORK),
        ({"KmsKeyArn": EVERYTHING["KmsKeyArn"]}, KEY),
        ({"Kind": "realtime", "AlarmTopic": EVERYTHING["AlarmTopic"]}, set()),
    ],
    ids=lambda value: ",".join(value.values())[:40] if isinstance(value, dict) else "",
)
def test_beside_image_and_log_a_model_may_do_what_its_parameters_ask_for(
    parameters: dict[str, str], rights: set[str], stack: Stacks
) -> None:
    assert granted(stack(**parameters)) == USUAL | rights


def place(value: Any) -> str:
    """A resource as it is written."""
    ((word, operand),) = value.items()
    assert word == "Fn::Sub"
    return operand if isinstance(operand, str) else operand[0]


@pytest.mark.parametrize("kind", KINDS)
def test_each_resource_is_named(kind: str, stack: Stacks) -> None:
    """By its ARN; `*` at its end stands for the streams of one log, or for the keys below a folder of a bucket."""
    for actions, places in statements(stack(**everything(kind))):
        for one in places:
            if one == "*":
                assert actions <= WITHOUT_RESOURCE
                continue
            text = place(one)
            assert "*" not in text.removesuffix("*")
            if text.endswith("*"):
                assert text.endswith(":*") if actions <= OF_LOG else text.endswith("s3:::${Path}*")


def test_a_folder_of_a_bucket_ends_where_its_name_does(stack: Stacks) -> None:
    """`s3://my-bucket/in/` is followed by the pattern, and never a name that only begins so."""
    template = stack().template["Parameters"]
    for name in ("InputPath", "OutputPath", "CapturePath"):
        assert template[name]["AllowedPattern"].endswith("/$")


@pytest.mark.parametrize(("kind", "log"), [("realtime", "Endpoints/${AWS::StackName}"), ("transform", "TransformJobs")])
def test_the_log_and_the_metrics_are_the_deployments_own(kind: str, log: str, stack: Stacks) -> None:
    (role,) = stack(Kind=kind, **KINDS[kind]).of_type("AWS::IAM::Role")
    (policy,) = [one for one in role["Policies"] if one["PolicyName"] == "write-own-log"]
    written, measured = policy["PolicyDocument"]["Statement"]
    assert log in str(written["Resource"])
    assert measured["Condition"] == {"StringEquals": {"cloudwatch:namespace": f"/aws/sagemaker/{log.partition('/')[0]}"}}


def test_sagemaker_takes_the_role_for_this_account_alone(stack: Stacks) -> None:
    (role,) = stack().of_type("AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_role_that_is_there_gets_nothing(stack: Stacks) -> None:
    made = stack(RoleArn="arn:aws:iam::123456789012:role/mine")
    assert not made.of_type("AWS::IAM::Role")
    assert made.of_type("AWS::SageMaker::Model")[0]["ExecutionRoleArn"] == "arn:aws:iam::123456789012:role/mine"


def test_a_boundary_bounds_the_role(stack: Stacks) -> None:
    boundary = "arn:aws:iam::123456789012:policy/bound"
    assert stack(PermissionsBoundary=boundary).of_type("AWS::IAM::Role")[0]["PermissionsBoundary"] == boundary
