"""Events of senders that are not served are refused by name; calls that keep a function warm are answered."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight import protocols
from flyweight.handler import bind
from tests.targets.aws.events import CONTEXT, find, folder, sample

__all__ = ["folder"]

REQUEST = {"headers": {}, "requestContext": {"apiId": "a"}}
# the words that the refusal has to have, and the smallest event of that sender
FOREIGN: dict[str, Any] = {
    "a CloudWatch custom data source": {
        "EventType": "GetMetricData",
        "GetMetricDataRequest": {"StartTime": 1, "Arguments": ["a"]},
    },
    "CloudWatch custom data": {"EventType": "DescribeGetMetricData"},
    "Alexa skill": {"version": "1.0", "session": {}, "context": {"System": {}}, "request": {"type": "LaunchRequest"}},
    "smart home": {"directive": {"header": {"namespace": "Alexa.Discovery"}}},
    "Connect": {"Details": {"ContactData": {}, "Parameters": {}}, "Name": "ContactFlowEvent"},
    "DocumentDB": {"eventSource": "aws:docdb", "eventSourceArn": "arn:aws:rds:r:1:cluster:c", "events": [{"event": {}}]},
    "Lex": {"messageVersion": "1.0", "invocationSource": "DialogCodeHook", "bot": {"name": "b"}, "sessionState": {}},
    "Ground Truth": {"version": "2018-10-16", "labelingJobArn": "arn:aws:sagemaker:r:1:l", "dataObject": {}},
    "authorizer": {"type": "TOKEN", "authorizationToken": "t", "methodArn": "arn:aws:execute-api:r:1:a/s/GET/"},
    "AppSync": {"arguments": {}, "identity": None, "info": {"fieldName": "f"}, "request": {}, "stash": {}},
    "AppSync Events": {"identity": None, "info": {"channel": {}}, "request": {}, "events": [], "stash": {}},
    "Athena": {"@type": "UserDefinedFunctionRequest"},
    "Config": {"invokingEvent": "{}", "ruleParameters": "{}", "resultToken": "t"},
    "IoT provisioning": {"claimCertificateId": "c", "certificateId": "c", "templateArn": "t", "clientId": "i"},
    "IoT button": {"serialNumber": "S", "batteryVoltage": "2000mV", "clickType": "SINGLE"},
    "Transfer Family": {"token": "t", "serviceMetadata": {}, "fileLocation": {}},
    "Device Shadow": {"state": {"reported": {}}, "metadata": {}, "version": 1, "timestamp": 1},
    "IoT": {"clientId": "c", "timestamp": 1, "eventType": "connected", "sessionIdentifier": "s"},
    "durable execution": {"DurableExecutionArn": "a", "CheckpointToken": "t", "InitialExecutionState": {}},
    "Pinpoint": {"Message": {}, "ApplicationId": "a", "CampaignId": "c", "Endpoints": {}},
    "Amazon WorkMail": {"summaryVersion": "2018-10-10", "envelope": {"mailFrom": {}}, "subject": "penguins", "messageId": "1"},
    "an Amplify resolver": {
        "typeName": "Query",
        "fieldName": "predict",
        "arguments": {"year": 2007},
        "source": None,
        "prev": None,
    },
    "an API Gateway integration that is no proxy": {
        "body-json": {"year": 2007},
        "params": {},
        "stage-variables": {},
        "context": {},
    },
    "AppConfig": {"InvocationId": "1", "Parameters": {}, "Type": "OnDeploymentStart", "Application": {"Id": "a"}},
    "AppConfig's validation": {"applicationId": "a", "configurationProfileId": "b", "content": "e30=", "uri": "hosted"},
    "Bedrock Flows": {"messageVersion": "1.0", "flow": {}, "node": {"inputs": []}},
    "a Bedrock knowledge base": {"version": "1.0", "knowledgeBaseId": "K", "bucketName": "b", "inputFiles": []},
    "Bedrock, with the answer of a prompt": {
        "messageVersion": "1.0",
        "agent": {},
        "invokeModelRawResponse": "",
        "promptType": "ORCHESTRATION",
    },
    "an ECS deployment": {"executionDetails": {}, "executionId": "1", "lifecycleStage": "PRE_SCALE_UP", "resourceArn": "arn"},
    "EC2 Auto Scaling": {"AutoScalingGroupARN": "arn", "CapacityToTerminate": [], "Instances": [], "Cause": "SCALE_IN"},
    "CloudFormation": {"RequestType": "Create", "ResponseURL": "https://example.com/", "StackId": "s", "RequestId": "r"},
    "CloudFormation macro": {"region": "r", "fragment": {}, "transformId": "1::M", "params": {}},
    "CloudWatch alarm": {"source": "aws.cloudwatch", "alarmArn": "arn:a", "alarmData": {}},
    "CloudWatch Logs": {"awslogs": {"data": "H4sI"}},
    "CodeDeploy": {"DeploymentId": "d", "LifecycleEventHookExecutionId": "l"},
    "CodePipeline": {"CodePipeline.job": {"id": "1"}},
    "Cognito": {"version": "1", "triggerSource": "PreSignUp_SignUp", "userPoolId": "p", "request": {}, "response": {}},
    "Kinesis Data Analytics": {"invocationId": "i", "applicationArn": "a", "streamArn": "s", "records": []},
    "Redshift": {"request_id": "r", "external_function": "f", "num_records": 1, "arguments": [[1]]},
    "Object Lambda": {"xAmzRequestId": "r", "getObjectContext": {}, "userRequest": {}},
    "Secrets Manager": {"SecretId": "s", "ClientRequestToken": "t", "Step": "createSecret"},
    "WebSocket": {"requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c"}},
    "Lambda@Edge": {"Records": [{"cf": {"config": {}, "request": {"uri": "/"}}}]},
    "aws:ses": {"Records": [{"eventSource": "aws:ses", "ses": {}}]},
    "aws:codecommit": {"Records": [{"eventSource": "aws:codecommit", "codecommit": {}}]},
    "aws:odd": [{"eventSource": "aws:odd", "data": "e30="}],
    "AppSync batch": [{"arguments": {}, "info": {}}],
}


@pytest.fixture(scope="module")
def function(penguins: Path, folder: None) -> Callable[[Any], Any]:
    from aws_event import decode, encode
    from aws_triggers import find

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLYWEIGHT_MODEL", penguins.name)
        made = bind(decode, encode, folder=str(penguins.parent), logs={"": lambda: lambda entry: None}, triggers=find)
    return lambda event: made(event, CONTEXT)


@pytest.mark.parametrize("words", FOREIGN)
def test_a_sender_that_is_not_served_is_refused_by_name(
    words: str, function: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocols, "__path__", [])  # as in a function that was built without protocols
    for name in ("athena", "redshift"):
        monkeypatch.delitem(sys.modules, f"flyweight.protocols.{name}", raising=False)
    with pytest.raises(Exception, match="does not serve") as raised:
        function(FOREIGN[words])
    assert type(raised.value).__name__ == "UnsupportedEvent"
    assert words.removesuffix(" batch").casefold() in str(raised.value).casefold()
    if words in ("Athena", "Redshift"):
        assert f"--protocol {words.lower()}" in str(raised.value)


@pytest.mark.parametrize(
    "event",
    [
        {"source": "serverless-plugin-warmup"},
        {"warmer": True, "concurrency": 3},
        {"warmup": True},
        {"keep-warm": True},
        {"source": "warmup"},
        {"action": "warm-up"},
        "#warmup wait=200",
    ],
)
def test_a_call_that_keeps_the_function_warm_is_answered(event: Any, function: Callable[[Any], Any]) -> None:
    assert function(event) is None


@pytest.mark.parametrize(
    "event", [{"Records": None}, {"Records": "x"}, {"Records": [None]}, {"Records": [{}]}, {"Records": [[5]]}]
)
def test_an_event_whose_records_can_not_be_read_becomes_one_dead_letter(event: Any, function: Callable[[Any], Any]) -> None:
    trigger = find(event)
    assert trigger is not None and [record.fault is None for record in trigger.records(event, CONTEXT)] == [False]
    assert function(event) == {"batchItemFailures": []}


def test_a_batch_without_records_is_done(function: Callable[[Any], Any]) -> None:
    assert function({"Records": []}) == {"batchItemFailures": []}


def test_a_window_gets_its_state_back(function: Callable[[Any], Any]) -> None:
    window = {"window": {"start": "a", "end": "b"}, "state": {"1": 282}, "shardId": "s", "isFinalInvokeForWindow": False}
    done = {"batchItemFailures": [], "state": {"1": 282}}
    assert function({**sample("kinesis"), **window}) == done
    assert function({**sample("dynamodb"), **window}) == done
    assert function({"Records": [], **window, "isFinalInvokeForWindow": True}) == done
    assert function({**sample("kinesis"), **window, "state": None})["state"] == {}


def test_instances_and_operations_are_never_foreign() -> None:
    for event in (
        {"instances": []},
        {"instances": [], "awslogs": 1},
        {"operation": "health"},
        {"island": "Biscoe"},
        {},
        None,
        7,
        "x",
    ):
        assert find(event) is None
