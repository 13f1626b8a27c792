"""Direct invocations, VPC Lattice, agents of Bedrock; a failure where nobody waits for an answer is raised."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.errors import ModelUnavailable
from flyweight.handler import bind
from flyweight.values import Response
from tests.targets.aws.events import CONTEXT, folder, sample

__all__ = ["folder"]

PENGUIN = json.loads(sample("predict")["body"])["instances"][0]
TYPES = {str: "string", float: "number", int: "integer"}
PARAMETERS = [{"name": name, "type": TYPES[type(value)], "value": str(value)} for name, value in PENGUIN.items()]
AGENT = {
    "messageVersion": "1.0",
    "agent": {"name": "a", "id": "1", "alias": "x", "version": "1"},
    "sessionId": "s",
    "actionGroup": "penguins",
    "sessionAttributes": {"a": "b"},
}
BY_FUNCTION = {**AGENT, "function": "score", "parameters": PARAMETERS}


def by_api(*properties: dict[str, str], **changes: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"properties": [*properties]}}}
    return {**AGENT, "apiPath": "/predict", "httpMethod": "POST", "parameters": [], "requestBody": body, **changes}


Function = Callable[[Any], Any]


def made(model: Path | str, folder: Path) -> Function:
    from aws_event import decode, encode
    from aws_triggers import find

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLYWEIGHT_MODEL", str(model))
        function = bind(decode, encode, folder=str(folder), logs={"": lambda: lambda entry: None}, triggers=find)
    return lambda event: function(event, CONTEXT)


@pytest.fixture(scope="module")
def function(penguins: Path, folder: None) -> Function:
    return made(penguins.name, penguins.parent)


@pytest.fixture(scope="module")
def without_model(penguins: Path, folder: None) -> Function:
    return made("gone.safetensors", penguins.parent)


@pytest.mark.parametrize("name", ["predict.direct", "map", "eventbridge", "sns", "pipes", "kafka"])
def test_a_failure_of_the_model_raises_by_name_where_nobody_may_wait(name: str, without_model: Function) -> None:
    with pytest.raises(ModelUnavailable):
        without_model(sample(name))


def test_who_waits_gets_an_answer_without_a_model_too(without_model: Function) -> None:
    for name in ("predict", "predict.rest", "predict.alb", "predict.lattice"):
        assert without_model(sample(name))["statusCode"] == 503
    assert without_model({"operation": "health"}) == {"status": "ok"}
    assert without_model({"operation": "ready"})["status"] == 503
    assert len(without_model(sample("sqs"))["batchItemFailures"]) == 2
    assert without_model(BY_FUNCTION)["response"]["functionResponse"]["responseState"] == "FAILURE"


def test_an_unexpected_error_of_a_direct_invocation_reveals_its_request_id_only() -> None:
    from aws_event import encode

    problem = {"type": "urn:flyweight:problem:internal", "title": "internal", "status": 500, "request_id": "1f0e"}
    response = Response(500, {"content-type": "application/problem+json"}, json.dumps(problem).encode())
    with pytest.raises(Exception, match="unexpected error; the log has it under the request id 1f0e") as raised:
        encode(response, {"instances": []}, CONTEXT)
    assert type(raised.value).__name__ == "InternalError"


def test_a_refused_direct_invocation_is_answered_with_the_problem(function: Function) -> None:
    assert function({"instances": [[1]]})["status"] == 422


def test_a_direct_invocation_that_is_nested_too_deeply_is_answered(function: Function) -> None:
    event: Any = []
    for _ in range(100_000):
        event = [event]
    assert function(event)["status"] == 400


def test_the_text_of_an_input_transformer_is_the_body(function: Function) -> None:
    assert function(json.dumps({"instances": [PENGUIN]}))["predictions"] == ["Adelie"]
    assert function("text")["status"] == 422
    assert function("{text")["status"] == 400


@pytest.mark.parametrize("name", ["predict.lattice", "predict.lattice_v1"])
def test_lattice_has_the_answers_of_http(name: str, function: Function) -> None:
    event = sample(name)
    answer = function(event)
    assert (answer["statusCode"], json.loads(answer["body"])["predictions"]) == (200, ["Adelie"])
    path = "raw_path" if "raw_path" in event else "path"
    assert function({**event, path: "/nowhere"})["statusCode"] == 404
    assert json.loads(function({**event, path: "/health?a=b", "method": "GET"})["body"]) == {"status": "ok"}
    headers = {name: ["text/csv"] if isinstance(value, list) else "text/csv" for name, value in event["headers"].items()}
    assert function({**event, "headers": headers, "body": "a\n1"})["statusCode"] == 422
    for odd in (None, 5, "x", [], {"content-type": None}, {"content-type": [None]}, {"content-type": 5}):
        assert function({**event, "headers": odd})["statusCode"] < 500


def test_an_agent_gets_the_answer_in_its_form(function: Function) -> None:
    answer = function(by_api({"name": "instances", "type": "array", "value": json.dumps([PENGUIN])}))
    assert answer["response"] | {"responseBody": 0} == {
        "actionGroup": "penguins", "apiPath": "/predict", "httpMethod": "POST", "httpStatusCode": 200, "responseBody": 0,
    }  # fmt: skip
    body = json.loads(answer["response"]["responseBody"]["application/json"]["body"])
    assert body["predictions"] == ["Adelie"] and answer["sessionAttributes"] == {"a": "b"}
    one = function(by_api(*PARAMETERS))  # the features themselves are the properties
    assert json.loads(one["response"]["responseBody"]["application/json"]["body"])["predictions"] == ["Adelie"]


def test_the_parameters_of_an_agents_function_are_one_instance(function: Function) -> None:
    answer = function(BY_FUNCTION)["response"]
    assert (answer["actionGroup"], answer["function"]) == ("penguins", "score")
    assert json.loads(answer["functionResponse"]["responseBody"]["TEXT"]["body"])["predictions"] == ["Adelie"]
    assert "responseState" not in answer["functionResponse"]
    wrong = function({**BY_FUNCTION, "parameters": PARAMETERS[1:]})["response"]["functionResponse"]
    assert wrong["responseState"] == "REPROMPT" and "island" in wrong["responseBody"]["TEXT"]["body"]


@pytest.mark.parametrize("odd", [None, 5, "x", [], {}, [None], [{"name": None}], [{"name": "a", "type": "number", "value": "x"}]])
def test_odd_parameters_of_an_agent_are_refused_in_its_form(odd: Any, function: Function) -> None:
    assert function({**BY_FUNCTION, "parameters": odd})["response"]["functionResponse"]["responseState"] == "REPROMPT"
    assert function(by_api(apiPath="/nowhere"))["response"]["httpStatusCode"] == 404
    for changes in ({"requestBody": odd}, {"requestBody": {"content": odd}}, {"apiPath": odd}, {"httpMethod": odd}):
        assert function(by_api(**changes))["response"]["httpStatusCode"] < 500
