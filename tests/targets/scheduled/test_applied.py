"""The stacks applied to moto's CloudFormation, Batch, Step Functions and Scheduler, and the function on what the map sends it."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from moto.core.config import default_user_config

from flyweight.stores import open_store
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.aws import template
from tests import fitted
from tests.services.fixtures import PATIENT, Bucket, s3, servers
from tests.targets.conftest import Cloud
from tests.targets.handler import ROOT

__all__ = ["s3", "servers"]
INFRA = ROOT / "infra" / "scheduled"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/batch:1"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:penguins:live"
GIVEN = {
    "aws_batch": {"Image": IMAGE, "InputBucket": "tables", "OutputBucket": "answers", "Keep": "id", "Tasks": "3"},
    "step_functions": {"FunctionArn": FUNCTION, "Bucket": "tables", "Prefix": "in/", "AtOnce": "7"},
}


@pytest.fixture
def applied(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], dict[str, Any]]]:
    """From a template to what moto made of it, by logical name, and the properties of its schedule, which moto's stacks lack."""
    monkeypatch.setitem(default_user_config, "batch", {"use_docker": False})
    stacks = cloud.client("cloudformation")
    made: list[str] = []

    def apply(name: str) -> dict[str, Any]:
        document = json.loads(json.dumps(cfn_yaml.load(str(INFRA / f"{name}.yaml"))))
        schedule = document["Resources"].pop("Nightly")["Properties"]
        parameters = dict(GIVEN[name])
        if name == "aws_batch":
            # without one moto makes no compute environment; Batch itself has its own:
            # https://docs.aws.amazon.com/batch/latest/userguide/using-service-linked-roles.html
            role = cloud.client("iam").create_service_linked_role(AWSServiceName="batch.amazonaws.com")["Role"]
            document["Resources"]["Machines"]["Properties"]["ServiceRole"] = role["Arn"]
            subnets = cloud.client("ec2").describe_subnets()["Subnets"]
            parameters |= {"VpcId": subnets[0]["VpcId"], "SubnetIds": ",".join(one["SubnetId"] for one in subnets[:2])}
        stack = name.replace("_", "-")
        pairs = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        stacks.create_stack(StackName=stack, TemplateBody=json.dumps(document), Parameters=pairs, Capabilities=["CAPABILITY_IAM"])
        made.append(stack)
        assert stacks.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
        found = stacks.describe_stack_resources(StackName=stack)["StackResources"]
        assert {one["LogicalResourceId"] for one in found} == document["Resources"].keys()
        values = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        return {**values, **parameters, "AWS::StackName": stack, "AWS::Partition": "aws", "schedule": schedule}

    yield apply
    for stack in made:
        stacks.delete_stack(StackName=stack)


def scheduled(cloud: Cloud, made: dict[str, Any]) -> dict[str, Any]:
    """Make the stack's schedule, and return its target as Scheduler keeps it; botocore checks the words."""

    def written(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        text = value.get("Fn::Sub") or f"${{{value.get('Ref')}}}"
        return re.sub(r"\$\{([\w:]+)\}", lambda found: made[found[1]], text)

    role = cloud.client("iam").get_role(RoleName=made["ScheduleRole"])["Role"]["Arn"]
    target = {name: role if name == "RoleArn" else written(value) for name, value in made["schedule"]["Target"].items()}
    scheduler = cloud.client("scheduler")
    kept = {"ScheduleExpression": "cron(0 3 * * ? *)", "FlexibleTimeWindow": made["schedule"]["FlexibleTimeWindow"]}
    scheduler.create_schedule(Name=made["AWS::StackName"], Target=target, State="ENABLED", **kept)
    found: dict[str, Any] = scheduler.get_schedule(Name=made["AWS::StackName"])["Target"]
    scheduler.delete_schedule(Name=made["AWS::StackName"])
    return found


def allowed(cloud: Cloud, role: str, policy: str) -> dict[str, Any]:
    """Read what a role's statements of one action allow, by action; moto writes the document of a stack as Python would."""
    document = cloud.client("iam").get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    statements = (literal_eval(document) if isinstance(document, str) else document)["Statement"]
    return {one["Action"]: one["Resource"] for one in statements if isinstance(one["Action"], str)}


def test_batch_has_the_job_and_takes_what_the_schedule_submits(cloud: Cloud, applied: Callable[[str], dict[str, Any]]) -> None:
    made = applied("aws_batch")
    batch = cloud.client("batch")
    (definition,) = batch.describe_job_definitions(jobDefinitions=[made["Definition"]])["jobDefinitions"]
    container = definition["containerProperties"]
    assert container["image"] == IMAGE and container["readonlyRootFilesystem"] is True
    assert container["command"] == ["s3://tables/in/**/*.parquet", "--output", "s3://answers/scored", "--keep=id"]
    (queue,) = batch.describe_job_queues(jobQueues=[made["Queue"]])["jobQueues"]
    assert queue["computeEnvironmentOrder"][0]["computeEnvironment"] == made["Machines"]
    target = scheduled(cloud, made)
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:batch:submitJob"
    request = {name[0].lower() + name[1:]: value for name, value in json.loads(target["Input"]).items()}
    size = request["arrayProperties"] = {name.lower(): value for name, value in request["arrayProperties"].items()}
    job = batch.submit_job(**request)
    assert job["jobName"] == "aws-batch" and size == {"size": 3}
    assert {*allowed(cloud, made["ScheduleRole"], "submit")["batch:SubmitJob"]} == {made["Queue"], made["Definition"]}


def test_step_functions_has_the_machine_and_the_schedule_starts_it(
    cloud: Cloud, applied: Callable[[str], dict[str, Any]]
) -> None:
    made = applied("step_functions")
    machine = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=made["Machine"])
    assert machine["name"] == "step-functions" and machine["roleArn"].endswith(made["Role"])
    target = scheduled(cloud, made)
    assert target["Arn"] == made["Machine"] and json.loads(target["Input"]) == {}
    rights = allowed(cloud, made["Role"], "map")
    assert rights["states:StartExecution"] == made["Machine"] and rights["lambda:InvokeFunction"] == FUNCTION


def selected(item: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """What the map's ItemSelector makes of an item; its expressions are names below the item, and $replace.

    :raises ValueError: an expression of another kind, which Step Functions alone evaluates.
    """
    text = template.read(INFRA / "step_functions.yaml")["Resources"]["Machine"]["Properties"]["DefinitionString"]
    document = json.loads(re.sub(r"\$\{(\w+)\}", lambda found: parameters[found[1]], text))

    def evaluated(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: evaluated(each) for name, each in value.items()}
        expression = re.fullmatch(r"\{% (.*) %\}", value)
        if not expression:
            return value
        name = r"\$states\.context\.Map\.Item\.Value\.(\w+)"
        found = re.fullmatch(rf"\$replace\({name}, '(.*)', '(.*)'\)|{name}", expression[1])
        if found is None:
            raise ValueError(expression[1])
        return item[found[4]] if found[4] else item[found[1]].replace(found[2], found[3])

    made: dict[str, Any] = evaluated(document["States"]["Files"]["ItemSelector"])
    return made


def test_the_function_answers_the_files_of_the_map_as_the_estimator_does(
    built: Callable[[str], Path], s3: Bucket, cloud: Cloud
) -> None:
    """Items are what S3 itself lists; each is handed to the folder of `flyweight build aws` under Lambda's runtime."""
    place = s3.root.removeprefix("s3://").partition("/")[0]
    store = open_store(f"s3://{place}", PATIENT)
    estimator, X = fitted.penguins()
    for number in range(3):
        store.put(f"in/día {number}/a+b.csv", X.iloc[number::3].to_csv(index=False).encode(), None)
    items = listed(s3, place)
    assert len(items) == 3
    given = {"Bucket": place, "Prefix": "in/", "AtOnce": "7", "FunctionArn": FUNCTION}
    function = runtime("aws")(built("aws"), environ={**s3.variables, "FLYWEIGHT_OUTPUT": f"s3://{place}/out"})
    try:
        answers = [json.loads(function.invoke(selected(item, **given)).body) for item in items]
    finally:
        function.close()
    for number, ((answer,), item) in enumerate(zip(answers, items, strict=True)):
        rows = X.iloc[number::3]
        assert item["Key"] == f"in/día {number}/a+b.csv" and answer["rows"] == len(rows)
        lines = store.get(answer["output"].removeprefix(f"s3://{place}/"), 1 << 24)[0].splitlines()
        assert [json.loads(line)["prediction"] for line in lines] == estimator.predict(rows).tolist()


def listed(s3: Bucket, place: str) -> list[dict[str, Any]]:
    """The objects as the state's reader lists them."""
    import boto3

    found = s3.variables
    keys = (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"])
    client = boto3.Session(*keys, region_name="us-east-1").client("s3", endpoint_url=found["AWS_ENDPOINT_URL"])
    objects = client.list_objects_v2(Bucket=place, Prefix="in/")["Contents"]
    return [{"Key": one["Key"], "Size": one["Size"], "Etag": one["ETag"]} for one in objects]
