"""Stacks of the template in moto's CloudFormation, and the function in them: its code and environment, run by `awslambdaric`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.cloudformation import parsing

from flyweight.toolkit.events import samples
from flyweight.toolkit.running import Answer, Runtime, runtime
from tests.targets.aws.cloudformation import UNKNOWN_TO_MOTO, Stack, for_moto
from tests.targets.conftest import KEYS, Cloud
from tests.targets.handler import ROOT

ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211}
ROW |= {"body_mass_g": 4500, "sex": "female", "year": 2007}


class Deployed:
    """A stack that was created: its function as a process, and what it has around it."""

    def __init__(self, name: str, made: Stack, cloud: Cloud, key: str, place: Path) -> None:
        self.cloud = cloud
        document = for_moto(made)
        document["Resources"]["Function"]["Properties"]["Code"] = {"S3Bucket": "uploads", "S3Key": key}
        self.cloudformation = cloud.client("cloudformation")
        self.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(document), Capabilities=["CAPABILITY_IAM"])
        described = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE"
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
        self.created = {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in self.cloudformation.list_stack_resources(StackName=name)["StackResourceSummaries"]
        }
        self.configuration = cloud.client("lambda").get_function_configuration(FunctionName=self.outputs["FunctionName"])
        variables = self.configuration["Environment"]["Variables"]
        self.environment = {name: str(value) for name, value in variables.items()}  # CloudFormation hands on texts, moto numbers
        self._place = place
        self._unpack(key, place)
        self._process: Runtime | None = None

    def _unpack(self, key: str, place: Path) -> None:
        code = self.cloud.client("s3").get_object(Bucket="uploads", Key=key)["Body"].read()
        assert self.configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
        assert self.configuration["Handler"] == "app.lambda_handler"
        zipfile.ZipFile(io.BytesIO(code)).extractall(place)

    def ask(self, event: Any) -> Answer:
        """What the function answers; its process starts with the first event."""
        if self._process is None:
            variables = {"AWS_ENDPOINT_URL": self.cloud.endpoint, **KEYS, "FLYWEIGHT_CACHE_DIR": "off", **self.environment}
            self._process = runtime("aws")(self._place, environ=variables)
        return self._process.invoke(event)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()

    def received(self, url: str) -> list[Any]:
        """What messages of a queue hold."""
        messages = self.cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def deployed(
    stack: Callable[..., Stack], cloud: Cloud, packaged: Callable[[str], str], tmp_path: Path
) -> Iterator[Callable[..., Deployed]]:
    """From a stack's name and parameters to it, with the code that `sam build` for its architecture handed on."""
    made: list[Deployed] = []

    def deploy(name: str, **parameters: str) -> Deployed:
        wanted = stack(**parameters)
        assert wanted.refusals == []
        (function,) = wanted.of_type("AWS::Lambda::Function")
        made.append(Deployed(name, wanted, cloud, packaged(function["Architectures"][0]), tmp_path / name))
        return made[-1]

    yield deploy
    for each in made:
        each.close()


def message(body: str, queue: str) -> dict[str, Any]:
    """A message of a queue as Lambda's poller hands it over."""
    (first, *_) = json.loads((ROOT / "events" / "aws" / "sqs.json").read_text())["Records"]
    return {**first, "body": body, "eventSourceARN": queue}


def test_what_is_left_to_the_translated_template_is_what_moto_lacks(stack: Callable[..., Stack]) -> None:
    """A type that moto has learned to create leaves the list."""
    known = {*parsing.get_model_map()}
    assert not UNKNOWN_TO_MOTO & known
    used = {resource["Type"] for resource in stack().template["Resources"].values()} | {"AWS::CodeDeploy::Application"}
    assert used | {"AWS::CodeDeploy::DeploymentGroup"} >= UNKNOWN_TO_MOTO


def test_by_default_the_model_in_the_folder_answers(deployed: Callable[..., Deployed]) -> None:
    made = deployed("plain")
    assert {*made.created} == {"Function", "LogGroup", "Role"} | {name for name in made.created if "Version" in name}
    assert made.configuration["MemorySize"] == 512 and made.configuration["Timeout"] == 10
    answer = made.ask(samples.predicting("aws", [ROW]))
    assert answer.status == 200 and json.loads(answer.body)["predictions"] == ["Gentoo"]
    assert made.environment["POWERTOOLS_SERVICE_NAME"] == "plain"
    assert made.cloudformation.get_template(StackName="plain")["TemplateBody"]
    groups = made.cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/plain")["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [30]


def test_a_model_bucket_serves_and_a_queue_is_answered_in_a_queue(deployed: Callable[..., Deployed], penguins: Path) -> None:
    made = deployed(
        "queued",
        Architecture="x86_64",
        ModelBucket="my-models",
        Model="s3://my-models/penguins.safetensors",
        Queue="true",
        Results="queue",
    )
    s3 = made.cloud.client("s3")
    assert s3.get_bucket_encryption(Bucket="my-models")["ServerSideEncryptionConfiguration"]["Rules"]
    s3.put_object(Bucket="my-models", Key="penguins.safetensors", Body=penguins.read_bytes())
    mappings = made.cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    (mapping,) = [each for each in mappings if made.created["InputQueue"].rpartition("/")[2] in each["EventSourceArn"]]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    queue = mapping["EventSourceArn"]
    answer = made.ask({"Records": [message(json.dumps(ROW), queue), {**message("{", queue), "messageId": "second"}]})
    assert json.loads(answer.body) == {"batchItemFailures": []}
    assert [len(made.received(made.created["ResultQueue"]))] == [1]
    assert [letter["problem"]["status"] for letter in made.received(made.outputs["DeadLettersUrl"])] == [400]
    redrive = made.cloud.client("sqs").get_queue_attributes(QueueUrl=made.created["InputQueue"], AttributeNames=["All"])
    assert made.outputs["DeadLettersUrl"].rpartition("/")[2] in redrive["Attributes"]["RedrivePolicy"]


def test_files_are_scored_to_files_and_results_go_to_a_table(deployed: Callable[..., Deployed]) -> None:
    made = deployed("files", FilesBucket="my-files", Results="table", Dashboard="true", Schedule="rate(5 minutes)")
    s3 = made.cloud.client("s3")
    s3.put_object(Bucket="my-files", Key="in/rows.jsonl", Body=json.dumps(ROW).encode() + b"\n")
    told = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": "2026-11-25T10:00:00.000Z"}
    told |= {"s3": {"bucket": {"name": "my-files"}, "object": {"key": "in/rows.jsonl", "sequencer": "0A"}}}  # type: ignore[dict-item]
    event = {"Records": [message(json.dumps({"Records": [told]}), "arn:aws:sqs:us-east-1:123456789012:files")]}
    assert json.loads(made.ask(event).body) == {"batchItemFailures": []}
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="my-files", Prefix="out/")["Contents"]]
    assert any(key.startswith("out/in/rows.jsonl.") and key.endswith(".jsonl") for key in keys)
    assert len(made.cloud.client("dynamodb").scan(TableName=made.created["ResultTable"])["Items"]) == 1
    (rule,) = made.cloud.client("events").list_rules(NamePrefix="files")["Rules"]
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    board = made.cloud.client("cloudwatch").get_dashboard(DashboardName=made.created["Board"])
    assert json.loads(board["DashboardBody"])["widgets"]


def test_an_api_with_keys_is_created(deployed: Callable[..., Deployed]) -> None:
    made = deployed("keys", Access="api-key")
    (api,) = made.cloud.client("apigateway").get_rest_apis()["items"]
    assert api["name"] == "keys"
    paths = made.cloud.client("apigateway").get_resources(restApiId=api["id"])["items"]
    assert {path["path"]: list(path["resourceMethods"]) for path in paths} == {"/": ["ANY"], "/{proxy+}": ["ANY"]}
