"""Each kind's stack is created by moto: references, names and the order of resources hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.targets.aws.cloudformation import Stack, names
from tests.targets.conftest import Cloud, cloud
from tests.targets.sagemaker.conftest import IMAGE, KINDS

__all__ = ["cloud"]
UNKNOWN_TO_MOTO = {
    "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::CloudWatch::Alarm",
}  # fmt: skip


def for_moto(stack: Stack) -> str:
    """The stack's resources and outputs as its conditions leave them, without what moto lacks."""
    resources = {name: one for name, one in stack.resources.items() if one["Type"] not in UNKNOWN_TO_MOTO}
    outputs = {
        name: {"Value": one["Value"]}
        for name, one in stack.template["Outputs"].items()
        if "Condition" not in one or stack.holds({"Condition": one["Condition"]})
    }
    for one in resources.values():
        one.pop("Condition", None)
    parameters = {name: {"Type": "String", "Default": value} for name, value in stack.parameters.items()}
    return json.dumps({"Parameters": parameters, "Resources": resources, "Outputs": outputs})


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_of_each_kind_is_created(kind: str, stack: Callable[..., Stack], cloud: Cloud) -> None:
    client, sagemaker = cloud.client("cloudformation"), cloud.client("sagemaker")
    name, model = f"birds-{kind}", "s3://my-bucket/models/" if kind == "multi" else "s3://my-bucket/penguins/model.tar.gz"
    made = stack(**{"Kind": kind, **KINDS[kind], "ModelData": model})
    client.create_stack(StackName=name, TemplateBody=for_moto(made), Capabilities=["CAPABILITY_IAM"])
    (described,) = client.describe_stacks(StackName=name)["Stacks"]
    assert described["StackStatus"] == "CREATE_COMPLETE"
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    (container,) = [sagemaker.describe_model(ModelName=outputs["ModelName"])["PrimaryContainer"]]
    assert (container["Image"], container["ModelDataUrl"]) == (IMAGE, model)
    if kind == "transform":
        assert "Url" not in outputs
        return
    (endpoint,) = [one for one in sagemaker.list_endpoints()["Endpoints"] if one["EndpointName"].startswith(name)]
    url = f"https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/{endpoint['EndpointName']}"
    assert outputs.get("Url") == (None if kind == "async" else url)
    assert made.of_type("AWS::SageMaker::Endpoint")[0]["EndpointName"] == {
        "Ref": "AWS::StackName"
    }  # moto makes a name of its own
    endpoint = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    (variant,) = config["ProductionVariants"]
    assert (variant["VariantName"], variant["ModelName"]) == ("AllTraffic", outputs["ModelName"])
    assert ("ServerlessConfig" in variant) == (kind == "serverless")


def test_what_moto_lacks_names_what_is_there(stack: Callable[..., Stack]) -> None:
    made: dict[str, Any] = stack(Kind="realtime", AlarmTopic="arn:aws:sns:eu-west-1:123456789012:alarms").resources
    left = {name for name, one in made.items() if one["Type"] in UNKNOWN_TO_MOTO}
    assert len(left) == 3
    for name in left:
        assert names(made[name]) - {"AWS"} <= made.keys() | {"AlarmTopic"}
