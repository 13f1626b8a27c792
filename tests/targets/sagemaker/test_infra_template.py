"""The template of each kind of endpoint: cfn-lint finds nothing, each has its parts, what excludes each other is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cfnlint import ConfigMixIn
from cfnlint.config import ManualArgs
from cfnlint.runner import Runner

from tests.targets.aws.cloudformation import Stack
from tests.targets.sagemaker.conftest import EVERYTHING, FOLDER, IMAGE, KINDS, everything

Stacks = Callable[..., Stack]
each = pytest.mark.parametrize("kind", KINDS)
ENDPOINT = {"AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint", "AWS::Logs::LogGroup"}
SCALED = {"AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"}


def lint(template: Path, **parameters: str) -> list[str]:
    """What cfn-lint says of a template with these parameters, by the schemas of CloudFormation that come with it."""
    given = {"parameters": [parameters]} if parameters else {}
    options: Any = ManualArgs(templates=[str(template)], regions=["eu-west-1"], **given)
    return [f"{found.rule.id} {found.message}" for found in Runner(ConfigMixIn(**options)).run()]


@each
@pytest.mark.parametrize("whole", [False, True], ids=["least", "everything"])
def test_cfn_lint_finds_nothing_in_any_kind(kind: str, whole: bool) -> None:
    parameters = everything(kind) if whole else {"Kind": kind, "Image": IMAGE, **KINDS[kind]}
    assert lint(FOLDER / "template.yaml", **parameters) == []


def test_cfn_lint_finds_nothing_in_the_repository() -> None:
    assert lint(FOLDER / "repository.yaml") == []


@pytest.mark.parametrize(
    ("written", "wrong", "found"),
    [
        ("EnableNetworkIsolation:", "NetworkIsolation:", "'NetworkIsolation' was unexpected"),
        ("InitialVariantWeight: 1", "InitialVariantWeight: much", "'much' is not of type 'number'"),
    ],
)
def test_cfn_lint_would_find_a_wrong_one(written: str, wrong: str, found: str, tmp_path: Path) -> None:
    text = (FOLDER / "template.yaml").read_text()
    assert written in text
    (tmp_path / "template.yaml").write_text(text.replace(written, wrong))
    assert any(found in one for one in lint(tmp_path / "template.yaml", **everything("realtime")))


@each
def test_each_kind_has_its_resources(kind: str, stack: Stacks) -> None:
    kinds = {resource["Type"] for resource in stack(Kind=kind, **KINDS[kind]).resources.values()}
    wanted = {"AWS::SageMaker::Model", "AWS::IAM::Role"}
    wanted |= ENDPOINT if kind != "transform" else set()
    assert kinds == wanted | (SCALED if kind in ("realtime", "async", "multi") else set())


@each
def test_each_kind_tells_an_address_where_it_answers_in_the_same_connection(kind: str, stack: Stacks) -> None:
    made = stack(Kind=kind, **KINDS[kind])
    url = made.template["Outputs"]["Url"]
    assert made.holds({"Condition": url["Condition"]}) == (kind in ("serverless", "realtime", "multi"))
    assert url["Value"] == {
        "Fn::Sub": "https://runtime.sagemaker.${AWS::Region}.amazonaws.com/endpoints/${Endpoint.EndpointName}"
    }


@each
def test_a_container_is_isolated_where_sagemaker_isolates_it(kind: str, stack: Stacks) -> None:
    (model,) = stack(Kind=kind, **KINDS[kind]).of_type("AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] == (kind != "serverless")
    (opened,) = stack(Kind=kind, NetworkIsolation="false", **KINDS[kind]).of_type("AWS::SageMaker::Model")
    assert opened["EnableNetworkIsolation"] is False


def test_the_model_is_the_images_own_or_the_one_that_sagemaker_unpacks(stack: Stacks) -> None:
    (own,) = stack().of_type("AWS::SageMaker::Model")
    assert own["PrimaryContainer"]["Environment"] == {"FLYWEIGHT_PROTOCOLS": "sagemaker"}
    assert "ModelDataUrl" not in own["PrimaryContainer"]
    sha = EVERYTHING["ModelSha256"]
    (unpacked,) = stack(ModelData=EVERYTHING["ModelData"], ModelSha256=sha).of_type("AWS::SageMaker::Model")
    assert unpacked["PrimaryContainer"]["ModelDataUrl"] == EVERYTHING["ModelData"]
    environ = unpacked["PrimaryContainer"]["Environment"]
    assert (environ["FLYWEIGHT_MODEL"], environ["FLYWEIGHT_SHA256"]) == ("/opt/ml/model/model.safetensors", sha)


def test_several_models_are_loaded_by_sagemakers_own_requests(stack: Stacks) -> None:
    (model,) = stack(Kind="multi", **KINDS["multi"]).of_type("AWS::SageMaker::Model")
    assert (model["PrimaryContainer"]["Mode"], model["PrimaryContainer"]["ModelDataUrl"]) == (
        "MultiModel",
        "s3://my-bucket/models/",
    )
    environ = {"FLYWEIGHT_PROTOCOLS": "sagemaker_models,sagemaker", "FLYWEIGHT_CACHE_BYTES": {"Fn::Sub": "${ModelsBytes}"}}
    assert model["PrimaryContainer"]["Environment"] == environ


@pytest.mark.parametrize(("kind", "metric"), [("realtime", "Predefined"), ("multi", "Predefined"), ("async", "Customized")])
def test_instances_follow_the_requests_or_those_that_wait(kind: str, metric: str, stack: Stacks) -> None:
    made = stack(Kind=kind, MinInstances="0" if kind == "async" else "2", MaxInstances="7", **KINDS[kind])
    (policy,), (target,) = (made.of_type(f"AWS::ApplicationAutoScaling::{name}") for name in ("ScalingPolicy", "ScalableTarget"))
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (f"{metric}MetricSpecification" in tracked) and len(tracked) == 2
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0 if kind == "async" else 2, 7)
    (config,) = made.of_type("AWS::SageMaker::EndpointConfig")
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == (1 if kind == "async" else 2)
    assert made.refusals == []


def test_a_serverless_variant_has_memory_and_no_machine(stack: Stacks) -> None:
    (config,) = stack(MemoryMB="2048", ProvisionedConcurrency="3").of_type("AWS::SageMaker::EndpointConfig")
    (variant,) = config["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 10, "ProvisionedConcurrency": 3}
    assert not {"InstanceType", "InitialInstanceCount"} & variant.keys()
    assert "KmsKeyId" not in stack(KmsKeyArn=EVERYTHING["KmsKeyArn"]).of_type("AWS::SageMaker::EndpointConfig")[0]


def test_requests_are_copied_and_answers_written_where_it_is_asked_for(stack: Stacks) -> None:
    (config,) = stack(Kind="realtime", CapturePath="s3://b/copies/", CapturePercent="7").of_type("AWS::SageMaker::EndpointConfig")
    captured = config["DataCaptureConfig"]
    assert (captured["DestinationS3Uri"], captured["InitialSamplingPercentage"]) == ("s3://b/copies/", 7)
    assert [one["CaptureMode"] for one in captured["CaptureOptions"]] == ["Input", "Output"]
    (waiting,) = stack(Kind="async", **KINDS["async"]).of_type("AWS::SageMaker::EndpointConfig")
    assert waiting["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"] == {"Fn::Sub": "${OutputPath}answers"}


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({"Image": ""}, "Image is asked for, as 123456789012.dkr.ecr.eu-west-1.amazonaws.com/penguins@sha256:..."),
        (
            {"SubnetIds": "subnet-12345678", "SecurityGroupIds": "sg-12345678"},
            "Kind=serverless has no VPC, leave SubnetIds out or choose Kind=realtime",
        ),
        ({"CapturePath": "s3://b/c/"}, "CapturePath asks for Kind=realtime, as SageMaker copies the requests of no other kind"),
        ({"Kind": "async", "InputPath": "s3://b/i/"}, "Kind=async and Kind=transform ask for OutputPath"),
        ({"Kind": "transform", "OutputPath": "s3://b/o/"}, "Kind=async and Kind=transform ask for InputPath"),
        ({"Kind": "multi"}, "Kind=multi asks for ModelData, the folder of the models, as s3://my-bucket/models/"),
        ({"Kind": "realtime", "MinInstances": "0"}, "MinInstances=0 asks for Kind=async, as other endpoints keep an instance"),
        ({"Kind": "realtime", "SubnetIds": "subnet-12345678"}, "SubnetIds asks for SecurityGroupIds"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_excludes_each_other_is_refused_before_anything_is_made(
    parameters: dict[str, str], refusal: str, stack: Stacks
) -> None:
    assert stack(**parameters).refusals == [refusal]


@each
def test_each_kind_may_have_all_that_belongs_to_it(kind: str, stack: Stacks) -> None:
    assert stack(**everything(kind)).refusals == []


def test_an_alarm_tells_a_topic_where_there_is_one(stack: Stacks) -> None:
    (alarm,) = stack(AlarmTopic=EVERYTHING["AlarmTopic"]).of_type("AWS::CloudWatch::Alarm")
    assert (alarm["MetricName"], alarm["AlarmActions"]) == ("Invocation5XXErrors", [EVERYTHING["AlarmTopic"]])
    assert not stack().of_type("AWS::CloudWatch::Alarm")
