"""`infra/aws`: the template is valid, is closed and small unless more is asked for, and refuses what Lambda would refuse."""

from __future__ import annotations

import io
import shutil
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

from flyweight import settings
from flyweight.toolkit.building.spec import PYTHONS
from tests.targets.aws.cloudformation import Stack, Template
from tests.targets.aws.sam import sam
from tests.targets.conftest import FOLDER, Cloud
from tests.targets.handler import PYTHON, ROOT, defines

Stacks = Callable[..., Stack]


def test_sam_validates_and_lints_the_template(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "aws")
    assert "is a valid SAM Template" in sam("validate", "--lint", "-t", "aws/template.yaml", cwd=tmp_path)


def test_cfn_lint_has_nothing_to_say() -> None:
    assert [str(match) for match in lint_file(FOLDER / "template.yaml")] == []


def test_the_entry_point_is_a_name_in_a_file_of_the_handler(stack: Stacks) -> None:
    (function,) = stack().of_type("AWS::Lambda::Function")
    module, name = function["Handler"].split(".")
    assert defines("aws", f"{module}.py", name)


def test_the_runtime_is_the_python_that_build_compiles_for(source: Template, stack: Stacks) -> None:
    """`flyweight deploy` says which one, and whoever deploys by hand gets the one that `flyweight build` means too."""
    (function,) = stack().of_type("AWS::Lambda::Function")
    assert function["Runtime"] == {"Fn::Sub": "python${PythonVersion}"}
    assert source["Parameters"]["PythonVersion"]["Default"] == PYTHON
    assert set(source["Parameters"]["PythonVersion"]["AllowedValues"]) == set(PYTHONS)


def test_the_code_is_the_folder_that_build_makes_by_default(source: Template) -> None:
    assert (FOLDER / source["Resources"]["Function"]["Properties"]["CodeUri"]).resolve() == ROOT / "build" / "aws"


def test_unless_asked_there_is_a_function_with_its_alias_log_and_role_behind_an_api(stack: Stacks) -> None:
    made = stack()
    assert made.refusals == []
    kinds = sorted(resource["Type"] for resource in made.resources.values())
    assert kinds == [
        "AWS::ApiGatewayV2::Api",
        "AWS::ApiGatewayV2::Integration",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Route",
        "AWS::ApiGatewayV2::Stage",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
    ]
    (function,) = made.of_type("AWS::Lambda::Function")
    assert function["Architectures"] == ["arm64"]
    assert function["SnapStart"] == {"ApplyOn": "None"}
    assert function["TracingConfig"] == {"Mode": "PassThrough"}
    assert not function.keys() & {"ReservedConcurrentExecutions", "Layers"}
    assert "ProvisionedConcurrencyConfig" not in made.resources["FunctionAliaslive"]["Properties"]


def test_the_translator_adds_no_role_and_no_permission(source: Template, stack: Stacks) -> None:
    added = {kind for made in (stack(), stack(Rollout="Canary10Percent5Minutes")) for kind in _added(made, source)}
    known = {"AWS::Lambda::Alias", "AWS::Lambda::Version", "AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"}
    assert added == known


def _added(made: Stack, source: Template) -> list[str]:
    return [resource["Type"] for name, resource in made.resources.items() if name not in source["Resources"]]


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"SnapStart": "true", "EphemeralStorage": "1024"}, "SnapStart takes EphemeralStorage=512 only"),
        ({"SnapStart": "true", "ProvisionedConcurrency": "1"}, "SnapStart and ProvisionedConcurrency exclude each other"),
        ({"SnapStart": "true", "PythonVersion": "3.11"}, "SnapStart begins with PythonVersion=3.12"),
        ({"Access": "jwt", "JwtAudience": "me"}, "Access=jwt asks for JwtIssuer"),
        ({"Access": "jwt", "JwtIssuer": "https://issuer.example"}, "Access=jwt asks for JwtAudience"),
        ({"Endpoint": "function-url", "Access": "api-key"}, "A Function URL knows Access=iam and Access=public only"),
        ({"Queue": "true"}, "Queue=true asks for Results, since nobody reads what a function returns to a queue"),
        ({"SubnetIds": "subnet-12345678"}, "SubnetIds asks for SecurityGroupIds"),
        ({"SecurityGroupIds": "sg-12345678"}, "SecurityGroupIds asks for SubnetIds"),
        ({"DomainName": "api.example.com"}, "DomainName asks for CertificateArn"),
        (
            {"DomainName": "api.example.com", "CertificateArn": "arn", "Endpoint": "function-url"},
            "DomainName asks for Endpoint=api, since a Function URL has no domain of one's own",
        ),
        ({"HostedZoneId": "Z1"}, "HostedZoneId asks for DomainName"),
        ({"CorsCredentials": "true", "CorsOrigins": "*"}, "CorsCredentials=true asks for CorsOrigins that names the origins"),
    ],
)
def test_what_excludes_each_other_is_refused_before_anything_is_made(
    parameters: dict[str, str], refusal: str, stack: Stacks
) -> None:
    assert stack(**parameters).refusals == [refusal]


@pytest.mark.parametrize(
    ("access", "kind"), [("iam", "AWS_IAM"), ("public", "NONE"), ("jwt", "JWT")], ids=["iam", "public", "jwt"]
)
def test_each_route_of_an_api_asks_for_what_access_says(access: str, kind: str, stack: Stacks) -> None:
    made = stack(Access=access, JwtIssuer="https://issuer.example", JwtAudience="me")
    routes = made.of_type("AWS::ApiGatewayV2::Route")
    assert [route["AuthorizationType"] for route in routes] == [kind] * 2
    assert [route.get("AuthorizerId") for route in routes] == [{"Ref": "Authorizer"} if kind == "JWT" else None] * 2
    assert len(made.of_type("AWS::ApiGatewayV2::Authorizer")) == (kind == "JWT")


def test_a_key_is_asked_for_by_each_method_and_is_throttled_and_counted(stack: Stacks) -> None:
    made = stack(Access="api-key", RateLimit="7", DailyQuota="9")
    methods = made.of_type("AWS::ApiGateway::Method")
    assert [method["ApiKeyRequired"] for method in methods] == [True, True]
    (plan,) = made.of_type("AWS::ApiGateway::UsagePlan")
    assert (plan["Throttle"]["RateLimit"], plan["Quota"]) == (7, {"Limit": 9, "Period": "DAY"})
    assert not made.of_type("AWS::ApiGatewayV2::Api")


@pytest.mark.parametrize(("access", "kind", "open_to_all"), [("iam", "AWS_IAM", 0), ("public", "NONE", 2)])
def test_a_function_url_is_open_to_all_by_explicit_choice_alone(access: str, kind: str, open_to_all: int, stack: Stacks) -> None:
    made = stack(Endpoint="function-url", Access=access)
    (url,) = made.of_type("AWS::Lambda::Url")
    assert (url["AuthType"], url["Qualifier"]) == (kind, "live")
    assert [each["Principal"] for each in made.of_type("AWS::Lambda::Permission")] == ["*"] * open_to_all
    assert not made.of_type("AWS::ApiGatewayV2::Api")


def test_no_endpoint_is_no_endpoint(stack: Stacks) -> None:
    made = stack(Endpoint="none", Access="api-key")
    kinds = {resource["Type"] for resource in made.resources.values()}
    assert kinds == {
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
    }


def test_every_caller_goes_through_the_alias(stack: Stacks) -> None:
    made = stack(Queue="true", Results="queue", FilesBucket="my-files", Schedule="rate(5 minutes)")
    alias = {"Ref": "FunctionAliaslive"}
    assert {str(each["FunctionName"]) for each in made.of_type("AWS::Lambda::Permission")} == {str(alias)}
    assert {str(each["FunctionName"]) for each in made.of_type("AWS::Lambda::EventSourceMapping")} == {str(alias)}
    assert [each["IntegrationUri"] for each in made.of_type("AWS::ApiGatewayV2::Integration")] == [alias]
    assert [target["Arn"] for rule in made.of_type("AWS::Events::Rule") for target in rule["Targets"]] == [alias]


def test_the_newest_version_has_its_number_told(stack: Stacks) -> None:
    """By which `flyweight deploy` moves an alias that was moved back."""
    made = stack()
    (version,) = [name for name, resource in made.resources.items() if resource["Type"] == "AWS::Lambda::Version"]
    assert made.template["Outputs"]["FunctionVersion"]["Value"] == {"Fn::GetAtt": [version, "Version"]}


def test_snapshots_and_kept_instances_belong_to_the_alias(stack: Stacks) -> None:
    (function,) = stack(SnapStart="true").of_type("AWS::Lambda::Function")
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    (alias,) = stack(ProvisionedConcurrency="2").of_type("AWS::Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}


def test_a_gradual_rollout_moves_the_alias_in_steps_and_back_on_an_alarm(stack: Stacks) -> None:
    made = stack(Rollout="Canary10Percent5Minutes")
    (group,) = made.of_type("AWS::CodeDeploy::DeploymentGroup")
    alarms = [{"Name": {"Ref": "ErrorAlarm"}}, {"Name": {"Ref": "FaultAlarm"}}]
    assert group["AlarmConfiguration"] == {"Enabled": True, "Alarms": alarms}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["RolloutRole", "Arn"]}
    assert "CodeDeployLambdaAliasUpdate" in made.resources["FunctionAliaslive"]["UpdatePolicy"]
    assert {"ErrorAlarm", "FaultAlarm", "FaultFilter"} <= made.resources.keys()


def test_alarms_tell_a_topic_where_there_is_one(stack: Stacks) -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:oncall"
    made = stack(Alarms="true", AlarmTopic=topic, Queue="true", Results="table")
    alarms = {name: each["Properties"] for name, each in made.resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms.keys() == {"ErrorAlarm", "FaultAlarm", "ThrottleAlarm", "DurationAlarm", "DeadLetterAlarm", "QueueAlarm"}
    assert {str(alarm["AlarmActions"]) for alarm in alarms.values()} == {str([topic])}
    assert not any("AlarmActions" in alarm for alarm in stack(Alarms="true").of_type("AWS::CloudWatch::Alarm"))


@pytest.mark.parametrize("name", ["Models", "Files"])
def test_buckets_are_versioned_encrypted_closed_and_outlive_the_stack(name: str, stack: Stacks) -> None:
    made = stack(ModelBucket="my-models", FilesBucket="my-files").resources
    bucket = made[name]["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "ServerSideEncryptionByDefault" in bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert made[name]["DeletionPolicy"] == "RetainExceptOnCreate"  # a first deployment that fails leaves no bucket in the way
    (statement,) = made[f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


def test_a_queue_waits_six_times_the_timeout_unless_either_is_changed(source: Template) -> None:
    parameters = source["Parameters"]
    assert parameters["QueueVisibility"]["Default"] == 6 * parameters["Timeout"]["Default"]


def test_sam_deploy_finds_its_defaults_beside_the_template() -> None:
    config = tomllib.loads((FOLDER / "samconfig.toml").read_text())["default"]
    assert config["deploy"]["parameters"]["confirm_changeset"] is True
    assert config["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"


@pytest.mark.parametrize("architecture", ["", "arm64", "x86_64"])
def test_what_sam_uploads_is_the_built_folder_byte_for_byte(
    architecture: str, packaged: Callable[[str], str], cloud: Cloud, built: Callable[[str], Path]
) -> None:
    """With `sam build` for either architecture before `sam package`, and without."""
    key = packaged(architecture)
    uploaded: Any = zipfile.ZipFile(io.BytesIO(cloud.client("s3").get_object(Bucket="uploads", Key=key)["Body"].read()))
    folder = built("aws")
    assert {name: uploaded.read(name) for name in uploaded.namelist()} == {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert any(name.endswith(".pyc") for name in uploaded.namelist())


CORS = {"CorsOrigins": "https://shop.example,https://*.shop.example", "CorsHeaders": "content-type,x-api-key", "CorsMaxAge": "60"}


def test_pages_of_other_origins_are_a_setting_that_the_function_reads(stack: Stacks) -> None:
    made = stack(**CORS, CorsCredentials="true")
    (function,) = made.of_type("AWS::Lambda::Function")
    told = settings.read(
        "", environ={name: str(value) for name, value in function["Environment"]["Variables"].items() if "CORS" in name}
    ).cors
    assert told is not None
    assert told.cors_origins == ("https://shop.example", "https://*.shop.example")
    assert told.cors_headers == ("content-type", "x-api-key")
    assert (told.cors_credentials, told.cors_max_age) == (True, 60)
    (usual,) = stack().of_type("AWS::Lambda::Function")
    unset = {name: str(value) for name, value in usual["Environment"]["Variables"].items() if "CORS" in name}
    assert len(unset) == 4 and settings.read("", environ=unset).cors is None


@pytest.mark.parametrize("access", ["iam", "jwt", "public"])
def test_a_browsers_question_reaches_the_function_unsigned_and_nothing_else_does(access: str, stack: Stacks) -> None:
    """https://fetch.spec.whatwg.org/#cors-preflight-fetch: it has no credentials."""
    made = stack(Access=access, JwtIssuer="https://issuer.example", JwtAudience="me", **CORS)
    kinds = {route["RouteKey"]: route["AuthorizationType"] for route in made.of_type("AWS::ApiGatewayV2::Route")}
    assert kinds.pop("OPTIONS /") == kinds.pop("OPTIONS /{proxy+}") == "NONE"
    assert set(kinds.values()) == {{"iam": "AWS_IAM", "jwt": "JWT", "public": "NONE"}[access]}


def test_an_api_with_keys_takes_a_browsers_question_without_one(stack: Stacks) -> None:
    made = stack(Access="api-key", **CORS)
    asked = {(method["HttpMethod"], method.get("ApiKeyRequired", False)) for method in made.of_type("AWS::ApiGateway::Method")}
    assert asked == {("ANY", True), ("OPTIONS", False)}
    (deployment,) = [name for name, one in made.resources.items() if one["Type"] == "AWS::ApiGateway::Deployment"]
    (stage,) = made.of_type("AWS::ApiGateway::Stage")
    assert stage["DeploymentId"] == {"Ref": deployment}
    methods = {name for name, one in made.resources.items() if one["Type"] == "AWS::ApiGateway::Method"}
    assert {*made.resources[deployment]["DependsOn"]} == methods


@pytest.mark.parametrize(("access", "answered"), [("iam", True), ("public", False)])
def test_lambda_answers_a_browser_where_the_function_url_lets_only_signed_requests_in(
    access: str, answered: bool, stack: Stacks
) -> None:
    (url,) = stack(Endpoint="function-url", Access=access, **CORS).of_type("AWS::Lambda::Url")
    assert ("Cors" in url) == answered
    if answered:
        assert url["Cors"]["AllowOrigins"] == {"Fn::Split": [",", CORS["CorsOrigins"]]}
        assert (url["Cors"]["MaxAge"], url["Cors"]["AllowCredentials"]) == (60, "false")


@pytest.mark.parametrize(("access", "api"), [("iam", "Api"), ("api-key", "RestApi")])
def test_a_domain_of_ones_own_leads_to_the_api(access: str, api: str, stack: Stacks) -> None:
    given = {
        "DomainName": "api.example.com",
        "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1",
        "HostedZoneId": "Z1",
    }
    made = stack(Access=access, **given)
    (domain,) = made.of_type("AWS::ApiGatewayV2::DomainName")
    assert domain["DomainName"] == "api.example.com"
    assert domain["DomainNameConfigurations"][0]["CertificateArn"] == given["CertificateArn"]
    (mapping,) = made.of_type("AWS::ApiGatewayV2::ApiMapping")
    assert (mapping["DomainName"], mapping["ApiId"]) == ({"Ref": "Domain"}, {"Ref": api})
    (record,) = made.of_type("AWS::Route53::RecordSet")
    assert record["AliasTarget"]["DNSName"] == {"Fn::GetAtt": ["Domain", "RegionalDomainName"]}


def test_a_function_in_a_network_is_in_its_subnets_and_groups(stack: Stacks) -> None:
    (function,) = stack(SubnetIds="subnet-12345678,subnet-87654321", SecurityGroupIds="sg-12345678").of_type(
        "AWS::Lambda::Function"
    )
    assert function["VpcConfig"] == {
        "SubnetIds": {"Fn::Split": [",", "subnet-12345678,subnet-87654321"]},
        "SecurityGroupIds": {"Fn::Split": [",", "sg-12345678"]},
    }
    assert "VpcConfig" not in stack().of_type("AWS::Lambda::Function")[0]


def test_a_role_that_is_there_is_taken_and_none_is_made(stack: Stacks) -> None:
    role = "arn:aws:iam::123456789012:role/path/of-mine"
    made = stack(RoleArn=role)
    assert made.of_type("AWS::Lambda::Function")[0]["Role"] == role
    assert not made.of_type("AWS::IAM::Role")


def test_a_boundary_bounds_each_role_that_is_made(stack: Stacks) -> None:
    boundary = "arn:aws:iam::123456789012:policy/bound"
    roles = stack(PermissionsBoundary=boundary, Rollout="Canary10Percent5Minutes").of_type("AWS::IAM::Role")
    assert [role["PermissionsBoundary"] for role in roles] == [boundary] * 2
    assert not any("PermissionsBoundary" in role for role in stack().of_type("AWS::IAM::Role"))


def test_a_key_of_ones_own_encrypts_all_that_rests(stack: Stacks) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1-2"
    everything = {"Queue": "true", "Results": "table", "FilesBucket": "my-files", "ModelBucket": "my-models"}
    made = stack(**everything, KmsKeyArn=key)
    assert made.of_type("AWS::Lambda::Function")[0]["KmsKeyArn"] == made.of_type("AWS::Logs::LogGroup")[0]["KmsKeyId"] == key
    queues = made.of_type("AWS::SQS::Queue")
    assert len(queues) == 3 and {(queue["KmsMasterKeyId"], "SqsManagedSseEnabled" in queue) for queue in queues} == {(key, False)}
    (table,) = made.of_type("AWS::DynamoDB::Table")
    assert table["SSESpecification"]["KMSMasterKeyId"] == key
    rules = [bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0] for bucket in made.of_type("AWS::S3::Bucket")]
    assert [rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] for rule in rules] == [key] * 2
    assert key not in str(stack(**everything).resources)
