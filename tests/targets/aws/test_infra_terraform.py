"""`infra/terraform/aws`: formatted, valid, refuses what the template refuses, and is applied to moto as it stands."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.targets.aws import awscli
from tests.targets.aws.cloudformation import Stack, Template
from tests.targets.aws.test_infra_rights import EVERYTHING, MOVE, granted
from tests.targets.conftest import KEYS, Cloud
from tests.targets.handler import PYTHON, ROOT
from tests.targets.terraform import plugins, terraform

MODULE = ROOT / "infra" / "terraform" / "aws"
PROVIDER = """
provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true
}
"""
STACK = "aws_cloudformation_stack"
LEFT_OUT = {"QueueVisibility"}  # which the module says by itself: Terraform can multiply


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the module, initialized."""
    folder = plugins("aws")
    place = tmp_path_factory.mktemp("terraform")
    shutil.copytree(MODULE, place, dirs_exist_ok=True)
    (place / "provider.tf").write_text(PROVIDER)
    terraform("init", "-input=false", f"-plugin-dir={folder}", cwd=place)
    return place


def variables(package: Path, **given: Any) -> list[str]:
    """Options that set variables."""
    return [f"-var={name}={value}" for name, value in {"package": package, **given}.items()]


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def test_the_module_has_the_templates_parameters_with_their_defaults(source: Template) -> None:
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', (MODULE / "variables.tf").read_text(), re.DOTALL | re.MULTILINE)
    found = {name: re.search(r"^  default\s+= (.*)$", body, re.MULTILINE) for name, body in blocks}
    defaults = {name: default[1].strip('"') for name, default in found.items() if default}
    wanted = {snake(name): str(each["Default"]) for name, each in source["Parameters"].items() if name not in LEFT_OUT}
    assert {name: value for name, value in defaults.items() if name not in ("name", "tags")} == wanted


def test_the_module_is_formatted_and_valid(module: Path) -> None:
    terraform("fmt", "-check", cwd=module)
    assert "Success!" in terraform("validate", cwd=module)


def test_what_excludes_each_other_is_refused(module: Path, cloud: Cloud) -> None:
    """All at once: each variable says what it has against the others."""
    given = {"snap_start": "true", "ephemeral_storage": 1024, "provisioned_concurrency": 1, "python_version": "3.11"}
    given |= {"endpoint": "function-url", "access": "jwt", "queue": "true", "rollout": "Slowly", "subnet_ids": "subnet-12345678"}
    given |= {"domain_name": "api.example.com", "cors_credentials": "true", "cors_origins": "*"}
    told = terraform("plan", "-input=false", *variables(module / "main.tf", **given), cwd=module, fails=True, **_moto(cloud))
    refused = " ".join(told.replace("│", " ").split())
    for refusal in (
        "SnapStart takes ephemeral_storage = 512 only",
        "SnapStart and provisioned concurrency exclude each other",
        "SnapStart begins with python_version = 3.12",
        "A Function URL knows access = iam and access = public only",
        "queue = true asks for results",
        "rollout is AllAtOnce, or a Canary or Linear of infra/aws/template.yaml",
        "subnet_ids and security_group_ids ask for each other",
        "domain_name asks for certificate_arn",
        "domain_name asks for endpoint = api",
        "cors_credentials = true asks for cors_origins that names the origins",
    ):
        assert refusal in refused


def _moto(cloud: Cloud) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": cloud.endpoint, **KEYS}


@pytest.fixture(scope="session")
def applied(module: Path, cloud: Cloud, built: Callable[[str], Path]) -> dict[str, Any]:
    """What the module's outputs say once all but the API with keys is applied to moto, which takes 80 seconds of waiting.

    The provider waits 25 seconds for each of three queues in a row, so that is done under one Python: it runs none.
    """
    if f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON:
        pytest.skip(f"terraform apply is run by the tests under Python {PYTHON}")
    package = Path(shutil.make_archive(str(module / "package"), "zip", built("aws")))
    given = {"queue": "true", "results": "table", "files_bucket": "tf-files", "model_bucket": "tf-models", "tracing": "true"}
    given |= {
        "model": "s3://tf-models/models/penguins@prod",
        "alarms": "true",
        "dashboard": "true",
        "schedule": "rate(5 minutes)",
    }
    given |= {"rollout": EVERYTHING["Rollout"], "kms_key_arn": EVERYTHING["KmsKeyArn"]}
    ec2 = cloud.client("ec2")  # in which there is a network already
    given |= {
        "subnet_ids": ",".join(each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]),
        "security_group_ids": ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"],
    }
    given |= {"cors_origins": "https://shop.example", "permissions_boundary": "arn:aws:iam::123456789012:policy/bound"}
    _apply(module, cloud, *variables(package, **given))
    return {**_outputs(module, cloud), "given": given}


def _apply(module: Path, cloud: Cloud, *options: str) -> None:
    terraform("apply", "-input=false", "-auto-approve", "-no-color", *options, cwd=module, **_moto(cloud))


def _outputs(module: Path, cloud: Cloud) -> dict[str, Any]:
    outputs: dict[str, Any] = json.loads(terraform("output", "-json", cwd=module, **_moto(cloud)))
    return {name: output["value"] for name, output in outputs.items()}


def test_the_module_applied_grants_what_the_template_grants(
    applied: dict[str, Any], cloud: Cloud, stack: Callable[..., Stack]
) -> None:
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=applied["function_name"])
    role = configuration["Role"].rpartition("/")[2]
    iam = cloud.client("iam")
    policy = iam.get_role_policy(RoleName=role, PolicyName="function")["PolicyDocument"]
    assert {action for statement in policy["Statement"] for action in statement["Action"]} == granted(stack(**EVERYTHING)) - MOVE
    places = {place for statement in policy["Statement"] for place in statement["Resource"] if place.endswith("*")}
    log = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/flyweight:*"
    keys = {f"arn:aws:s3:::{place}/*" for place in ("tf-models/models/penguins", "tf-files/in", "tf-files/out")}
    assert places == {log, "*"} | keys  # `*` for X-Ray alone
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    bound = iam.get_role(RoleName=role)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert bound == applied["given"]["permissions_boundary"]


def test_the_module_applied_has_the_environment_that_the_template_has(
    applied: dict[str, Any], cloud: Cloud, source: Template
) -> None:
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=applied["function_name"])
    environment = configuration["Environment"]["Variables"]
    of_template = source["Resources"]["Function"]["Properties"]["Environment"]["Variables"].keys()
    for_own_client = {"AWS_LAMBDA_EXEC_WRAPPER", "FLYWEIGHT_STREAMING"}
    assert environment.keys() == of_template - for_own_client, "which both set for our own client alone"
    assert environment["FLYWEIGHT_RESULTS"] == f"dynamodb://{applied['results_name']}"
    assert environment["FLYWEIGHT_OUTPUT"] == "s3://tf-files/out"
    assert environment["FLYWEIGHT_CORS_ORIGINS"] == "https://shop.example"
    assert configuration["KMSKeyArn"] == applied["given"]["kms_key_arn"]
    assert {*configuration["VpcConfig"]["SubnetIds"]} == {*applied["given"]["subnet_ids"].split(",")}
    mappings = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    ours = [each for each in mappings if ":flyweight-" in each["EventSourceArn"] and "Queue" not in each["EventSourceArn"]]
    assert [each["FunctionResponseTypes"] for each in ours] == [["ReportBatchItemFailures"]] * 2
    s3 = cloud.client("s3")
    for bucket in ("tf-models", "tf-files"):
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}


def test_codedeploy_takes_back_what_fails(applied: dict[str, Any], cloud: Cloud) -> None:
    """Moto keeps a group's alarms to itself: that they are the two which the role may ask for is read in the module."""
    described = cloud.client("codedeploy").get_deployment_group(applicationName="flyweight", deploymentGroupName="live")
    group = described["deploymentGroupInfo"]
    assert group["deploymentConfigName"] == f"CodeDeployDefault.Lambda{EVERYTHING['Rollout']}"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["autoRollbackConfiguration"]["events"]
    mover = group["serviceRoleArn"].rpartition("/")[2]
    moves = cloud.client("iam").get_role_policy(RoleName=mover, PolicyName="move-alias")["PolicyDocument"]["Statement"]
    assert {action for statement in moves for action in statement["Action"]} == MOVE
    (asked,) = [statement["Resource"] for statement in moves if statement["Action"] == ["cloudwatch:DescribeAlarms"]]
    alarms = cloud.client("cloudwatch").describe_alarms(AlarmNames=["flyweight-errors", "flyweight-faults"])["MetricAlarms"]
    assert set(asked) == {alarm["AlarmArn"] for alarm in alarms} and len(alarms) == 2
    assert (
        "for name in local.failures : aws_cloudwatch_metric_alarm.alarm[name].alarm_name" in (MODULE / "rollout.tf").read_text()
    )


def test_a_new_version_is_shifted_to_by_the_command_that_is_put_out(
    applied: dict[str, Any], module: Path, cloud: Cloud, built: Callable[[str], Path]
) -> None:
    """The version is published here, as `terraform apply` does it, since moto can change no deployment group."""
    assert applied["rollout"] == ""
    aws = cloud.client("lambda")
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("app.py", "")
    aws.update_function_code(FunctionName=applied["function_name"], ZipFile=code.getvalue(), Publish=True)
    _apply(module, cloud, "-refresh-only", *variables(module / "package.zip", **applied["given"]))
    told = re.fullmatch(r"(aws deploy wait .*) \$\((aws deploy create-deployment .*)\)", _outputs(module, cloud)["rollout"])
    assert told and awscli.complaints(told[2]) == []
    assert told[1] == "aws deploy wait deployment-successful --region us-east-1 --deployment-id"
    words = shlex.split(told[2])
    revision = json.loads(words[words.index("--revision") + 1])
    (resource,) = json.loads(revision["appSpecContent"]["content"])["Resources"]
    moved = {"Name": "flyweight", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"}
    assert resource["function"]["Properties"] == moved
    named = {"applicationName": "flyweight", "deploymentGroupName": "live"}
    assert cloud.client("codedeploy").create_deployment(**named, revision=revision)["deploymentId"]


def test_a_public_url_has_both_permissions_that_it_needs() -> None:
    """Since October 2025 one is not enough; the second opens nothing but the URL."""
    text = (MODULE / "endpoint.tf").read_text()
    first, second = (
        text.partition(f'resource "{kind}" "url" {{')[2].partition("\n}\n")[0] for kind in ("aws_lambda_permission", STACK)
    )
    for line in ('"lambda:InvokeFunctionUrl"', '"*"', '"NONE"', "local.alias.name"):
        assert f"= {line}" in first
    for line in ('"lambda:InvokeFunction"', '"*"', "true", "local.alias.arn"):
        assert f"= {line}" in second
    assert "InvokedViaFunctionUrl" in second
    assert [re.search(r"count +=(.*)", block)[1].strip() for block in (first, second)] == ["local.open_url"] * 2  # type: ignore[index]


@pytest.mark.parametrize("access", ["iam", "api-key"])
def test_what_a_company_asks_for_is_planned(access: str, module: Path, cloud: Cloud) -> None:
    """A role that is there, a domain and its record, and a browser's question that nothing has to sign."""
    given = {"role_arn": "arn:aws:iam::123456789012:role/mine", "domain_name": "api.example.com", "hosted_zone_id": "Z1"}
    given |= {"certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1", "access": access, "cors_origins": "*"}
    place = module.parent / f"planned-{access}"
    shutil.copytree(module, place, symlinks=True, ignore=shutil.ignore_patterns("terraform.tfstate*", "package.zip"))
    (place / "code").write_bytes(b"")
    options = ["-input=false", "-no-color", "-out=plan", *variables(place / "code", **given)]
    terraform("plan", *options, cwd=place, **_moto(cloud))
    plan = json.loads(terraform("show", "-json", "plan", cwd=place, **_moto(cloud)))
    made = plan["planned_values"]["root_module"]["resources"]
    kinds = [one["type"] for one in made]
    assert not [kind for kind in kinds if kind.startswith("aws_iam_role")]
    assert {"aws_apigatewayv2_domain_name", "aws_apigatewayv2_api_mapping", "aws_route53_record"} <= {*kinds}
    (function,) = [one["values"] for one in made if one["type"] == "aws_lambda_function"]
    assert function["role"] == given["role_arn"]
    if access == "iam":
        unsigned = [one["values"]["route_key"] for one in made if one["values"].get("authorization_type") == "NONE"]
        assert unsigned == ["OPTIONS /", "OPTIONS /{proxy+}"]
    else:
        methods = [one["values"] for one in made if one["type"] == "aws_api_gateway_method"]
        assert {(one["http_method"], bool(one["api_key_required"])) for one in methods} == {("ANY", True), ("OPTIONS", False)}
