"""The template as CloudFormation reads it, and the command line in a folder of its own with stand-ins for the tools."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from cfnlint.decode import cfn_yaml

from tests.protocols.conftest import packed
from tests.targets.aws.cloudformation import Stack
from tests.targets.handler import ROOT
from tests.toolkit.deploying.fixtures import folders, here, printed, put, run, second, tools

__all__ = ["folders", "here", "packed", "printed", "put", "run", "second", "tools"]
FOLDER = ROOT / "infra" / "sagemaker"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/penguins@sha256:" + "0" * 64
FILES = {"InputPath": "s3://my-bucket/in/", "OutputPath": "s3://my-bucket/out/"}
KINDS: dict[str, dict[str, str]] = {
    "serverless": {},
    "realtime": {},
    "async": FILES,
    "transform": FILES,
    "multi": {"ModelData": "s3://my-bucket/models/"},
}
# all that a deployment of each kind can ask for at once
EVERYTHING = {
    "ModelData": "s3://my-bucket/models/penguins/model.tar.gz",
    "ModelSha256": "0" * 64,
    "KmsKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012",
    "SubnetIds": "subnet-12345678",
    "SecurityGroupIds": "sg-12345678",
    "AlarmTopic": "arn:aws:sns:eu-west-1:123456789012:alarms",
}
WITHOUT = {"serverless": {"SubnetIds", "SecurityGroupIds"}, "multi": {"ModelSha256", "ModelData"}}


def everything(kind: str) -> dict[str, str]:
    """The parameters of a deployment that asks for all that its kind can have."""
    asked = {name: value for name, value in EVERYTHING.items() if name not in WITHOUT.get(kind, ())}
    more = {"CapturePath": "s3://my-bucket/copies/"} if kind == "realtime" else {}
    return {"Kind": kind, "Image": IMAGE, **asked, **more, **KINDS[kind]}


@pytest.fixture(scope="session")
def stack() -> Callable[..., Stack]:
    """From parameters to the stack; the image is there unless the parameters say otherwise."""
    template = json.loads(json.dumps(cfn_yaml.load(str(FOLDER / "template.yaml"))))
    return lambda **parameters: Stack(template, {"Image": IMAGE, **parameters})
