"""`infra/terraform/sagemaker`: formatted, valid by the provider's schemas; its plans are what the template makes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.targets.aws.cloudformation import Stack
from tests.targets.aws.test_infra_rights import granted
from tests.targets.aws.test_infra_terraform import PROVIDER, snake
from tests.targets.conftest import KEYS, Cloud, cloud
from tests.targets.handler import ROOT
from tests.targets.sagemaker.conftest import IMAGE, KINDS, everything
from tests.targets.terraform import plugins, terraform

__all__ = ["cloud"]
MODULE = ROOT / "infra" / "terraform" / "sagemaker"
SAME = {
    "AWS::SageMaker::Model": "aws_sagemaker_model",
    "AWS::SageMaker::EndpointConfig": "aws_sagemaker_endpoint_configuration",
    "AWS::SageMaker::Endpoint": "aws_sagemaker_endpoint",
    "AWS::IAM::Role": "aws_iam_role",
    "AWS::Logs::LogGroup": "aws_cloudwatch_log_group",
    "AWS::ApplicationAutoScaling::ScalableTarget": "aws_appautoscaling_target",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "aws_appautoscaling_policy",
    "AWS::CloudWatch::Alarm": "aws_cloudwatch_metric_alarm",
}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the module, initialized."""
    folder = plugins("aws")
    place = tmp_path_factory.mktemp("terraform")
    shutil.copytree(MODULE, place, dirs_exist_ok=True)
    (place / "provider.tf").write_text(PROVIDER)
    terraform("init", "-input=false", f"-plugin-dir={folder}", cwd=place)
    return place


def variables(parameters: dict[str, str]) -> list[str]:
    """The module's variables for the template's parameters."""
    return [f"-var={snake(name).replace('memory_m_b', 'memory_mb')}={value}" for name, value in parameters.items()]


def planned(module: Path, cloud: Cloud, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """What Terraform would make."""
    environ = {"AWS_ENDPOINT_URL": cloud.endpoint, **KEYS}
    terraform("plan", "-input=false", "-no-color", "-out=plan", *variables(parameters), cwd=module, **environ)
    plan = json.loads(terraform("show", "-json", "plan", cwd=module, **environ))
    found: list[dict[str, Any]] = plan["planned_values"]["root_module"]["resources"]
    return found


def test_the_module_has_the_templates_parameters_with_their_defaults(stack: Callable[..., Stack]) -> None:
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', (MODULE / "variables.tf").read_text(), re.DOTALL | re.MULTILINE)
    found = {name: re.search(r"^  default\s+= (.*)$", body, re.MULTILINE) for name, body in blocks}
    defaults = {name: default[1].strip('"') if default else "" for name, default in found.items()}
    wanted = {word[5:].partition("=")[0]: str(one["Default"]) for name, one in stack().template["Parameters"].items()
              for word in variables({name: ""})}  # fmt: skip
    assert {name: value for name, value in defaults.items() if name not in ("name", "tags")} == wanted
    assert all("  description = " in body for _, body in blocks)


def test_the_module_is_formatted_and_valid(module: Path) -> None:
    terraform("fmt", "-check", cwd=module)
    assert "Success!" in terraform("validate", cwd=module)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_of_each_kind_has_what_the_template_has(
    kind: str, module: Path, cloud: Cloud, stack: Callable[..., Stack]
) -> None:
    made, theirs = planned(module, cloud, everything(kind)), stack(**everything(kind))
    kinds = sorted(one["type"] for one in made if one["type"] != "aws_iam_role_policy")
    assert kinds == sorted(SAME[one["Type"]] for one in theirs.resources.values())
    (model,) = [one["values"] for one in made if one["type"] == "aws_sagemaker_model"]
    (container,), (other,) = model["primary_container"], theirs.of_type("AWS::SageMaker::Model")
    environ = {name: value for name, value in other["PrimaryContainer"]["Environment"].items() if isinstance(value, str)}
    assert {**container["environment"], **environ} == container["environment"]
    assert container["environment"].keys() == other["PrimaryContainer"]["Environment"].keys()
    assert (container["image"], container["mode"]) == (IMAGE, other["PrimaryContainer"]["Mode"])
    assert model["enable_network_isolation"] == other["EnableNetworkIsolation"]
    (role,) = [one["values"] for one in made if one["type"] == "aws_iam_role_policy"]
    statements = json.loads(role["policy"])["Statement"]
    assert {action for one in statements for action in one["Action"]} == granted(theirs)
    places = {place for one in statements for place in one["Resource"]}
    assert "arn:aws:ecr:eu-west-1:123456789012:repository/team/penguins" in places


def test_what_excludes_each_other_is_refused(module: Path, cloud: Cloud) -> None:
    environ = {"AWS_ENDPOINT_URL": cloud.endpoint, **KEYS}
    given = {"Kind": "serverless", "Image": "penguins", "SubnetIds": "subnet-12345678", "SecurityGroupIds": "sg-12345678"}
    given |= {"MinInstances": "0", "CapturePath": "s3://our-bucket/c/"}
    told = terraform("plan", "-input=false", *variables(given), cwd=module, fails=True, **environ)
    refused = " ".join(told.replace("│", " ").split())
    for refusal in (
        "image is asked for",
        "kind = serverless has no VPC",
        "min_instances = 0 asks for kind = async",
        "capture_path asks for kind = realtime",
    ):
        assert refusal in refused
