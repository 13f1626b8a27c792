"""`infra/aws`: the template is valid, gives away no right, and deploys the built folder byte for byte."""

from __future__ import annotations

import copy
import io
import json
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml
from moto.server import ThreadedMotoServer

from tests.infra.handler import PYTHON, ROOT, defines
from tests.infra.sam import sam, translated

FOLDER = ROOT / "infra" / "aws"
TEMPLATE = FOLDER / "template.yaml"


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    """The template as it is written."""
    template: dict[str, Any] = json.loads(json.dumps(cfn_yaml.load(str(TEMPLATE))))
    return template


@pytest.fixture(scope="module")
def resources(source: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The resources that CloudFormation gets, by AWS's own translator."""
    template = copy.deepcopy(source)
    template["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/key"  # as `sam package` writes it
    made: dict[str, Any] = translated(template, cwd=tmp_path_factory.mktemp("translated"))["Resources"]
    return made


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def test_sam_validates_and_lints_the_template(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "aws")
    assert "is a valid SAM Template" in sam("validate", "--lint", "-t", "aws/template.yaml", cwd=tmp_path)


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(match) for match in lint_file(TEMPLATE)] == []


def test_the_entry_point_is_a_name_in_a_file_of_the_handler(resources: dict[str, Any]) -> None:
    (function,) = of_type(resources, "AWS::Lambda::Function")
    module, name = function["Handler"].split(".")
    assert defines("aws", f"{module}.py", name)


def test_the_runtime_is_the_python_that_build_compiles_for(resources: dict[str, Any]) -> None:
    (function,) = of_type(resources, "AWS::Lambda::Function")
    assert function["Runtime"] == f"python{PYTHON}"


def test_the_code_is_the_folder_that_build_makes_by_default(source: dict[str, Any]) -> None:
    assert (FOLDER / source["Resources"]["Function"]["Properties"]["CodeUri"]).resolve() == ROOT / "build" / "aws"


def test_the_function_may_write_its_own_log_and_nothing_else(resources: dict[str, Any]) -> None:
    (role,) = of_type(resources, "AWS::IAM::Role")
    assert "ManagedPolicyArns" not in role
    statements = [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": ["LogGroup", "Arn"]},
        }
    ]


def test_no_policy_and_no_action_has_a_wildcard(resources: dict[str, Any]) -> None:
    for kind in ("AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        for properties in of_type(resources, kind):
            assert not [leaf for leaf in leaves(properties) if "*" in str(leaf)]
    for permission in of_type(resources, "AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert "${Api}" in permission["SourceArn"]["Fn::Sub"]


def test_every_route_asks_for_iam_credentials_unless_public_is_chosen(source: dict[str, Any], resources: dict[str, Any]) -> None:
    assert source["Parameters"]["Public"]["Default"] == "false"
    assert source["Conditions"]["IsPublic"] == {"Fn::Equals": [{"Ref": "Public"}, "true"]}
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    assert {route["RouteKey"] for route in routes} == {"ANY /", "ANY /{proxy+}"}
    assert [route["AuthorizationType"] for route in routes] == [{"Fn::If": ["IsPublic", "NONE", "AWS_IAM"]}] * 2
    assert not of_type(resources, "AWS::Lambda::Url")


def test_every_resource_is_written_in_the_template(source: dict[str, Any], resources: dict[str, Any]) -> None:
    assert resources.keys() == source["Resources"].keys()  # the translator adds no role or permission of its own


def test_sam_deploy_finds_its_defaults_beside_the_template() -> None:
    config = tomllib.loads((FOLDER / "samconfig.toml").read_text())["default"]
    assert config["deploy"]["parameters"]["confirm_changeset"] is True
    assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


@pytest.mark.parametrize("with_build", [False, True], ids=["sam package", "sam build, then sam package"])
def test_what_sam_uploads_is_the_built_folder_byte_for_byte(
    with_build: bool, tmp_path: Path, built: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER, tmp_path / "infra" / "aws")
    shutil.copytree(built("aws"), tmp_path / "build" / "aws")
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        store = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        store.create_bucket(Bucket="uploads")
        template = ["-t", "infra/aws/template.yaml"]
        if with_build:
            sam("build", *template, cwd=tmp_path)
            template = ["-t", ".aws-sam/build/template.yaml"]
        to = ["--s3-bucket", "uploads", "--output-template-file", "packaged.json", "--use-json"]
        sam("package", *template, *to, cwd=tmp_path, AWS_ENDPOINT_URL=endpoint, **keys)
        packaged = json.loads((tmp_path / "packaged.json").read_text())
        key = packaged["Resources"]["Function"]["Properties"]["CodeUri"].removeprefix("s3://uploads/")
        archive = zipfile.ZipFile(io.BytesIO(store.get_object(Bucket="uploads", Key=key)["Body"].read()))
    finally:
        server.stop()
    uploaded = {name: archive.read(name) for name in archive.namelist()}
    folder = built("aws")
    assert uploaded == {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert any(name.endswith(".pyc") for name in uploaded)
