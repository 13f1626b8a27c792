"""What is special about Lambda's events: many shapes of one request, and an answer in each sender's own."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.errors import MalformedRequest
from flyweight.handler import bind
from flyweight.protocols import Answer
from flyweight.values import Request, Response
from tests.targets.aws.events import folder

__all__ = ["folder"]
ROOT = Path(__file__).resolve().parents[3]
EVENTS = ROOT / "events" / "aws"
AUTHENTIC = ROOT.parent / "shared" / "data" / "events" / "aws"
CONTEXT = SimpleNamespace(aws_request_id="1f0e")
OK = Response(200, {"content-type": "application/json", "x-request-id": "1f0e"}, b'{"status":"ok"}')

# our sample of a shape -> AWS's own samples of it
SHAPES = {
    "predict": ["apiGatewayProxyV2Event", "apiGatewayProxyV2Event_GET", "apiGatewayProxyV2IamEvent"],
    "predict.url": ["lambdaFunctionUrlEvent", "lambdaFunctionUrlEventWithHeaders", "lambdaFunctionUrlIAMEvent"],
    "predict.http1": ["apiGatewayProxyEvent", "apiGatewayProxyEventNoOrigin"],
    "predict.rest": ["apiGatewayProxyEvent_noVersionAuth"],
    "predict.alb": ["albEvent"],
    "predict.alb_multi": ["albMultiValueHeadersEvent"],
}


@pytest.fixture(scope="module")
def aws(load: Callable[[str, str], ModuleType]) -> ModuleType:
    return load("aws", "aws_event")


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def changed(name: str = "predict", **changes: Any) -> Any:
    return {**sample(name), **changes}


@pytest.mark.parametrize("name", [*SHAPES, "predict.base64", "predict.stage"])
def test_every_shape_carries_the_same_request(name: str, aws: ModuleType) -> None:
    expected = sample("predict")
    request = aws.decode(sample(name), CONTEXT)
    assert (request.method, request.path, request.request_id) == ("POST", "/predict", "1f0e")
    assert request.body == expected["body"].encode()
    assert request.headers["content-type"] == "application/json"
    assert all(header == header.lower() for header in request.headers)


def test_a_direct_invocation_is_the_body_of_a_prediction(aws: ModuleType) -> None:
    event = {"instances": [{"sex": None}]}
    request = aws.decode(event, CONTEXT)
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/predict", event)


@pytest.mark.parametrize("event", [None, 7, "text", [], {}, {"operation": "health", "more": 1}, {"requestContext": "mine"}])
def test_any_json_that_is_no_http_event_is_a_direct_invocation(event: Any, aws: ModuleType) -> None:
    request = aws.decode(event, CONTEXT)
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/predict", event)
    assert aws.encode(OK, event, CONTEXT) == {"status": "ok"}


def test_a_direct_operation_is_a_get(aws: ModuleType) -> None:
    assert aws.decode({"operation": "ready"}, CONTEXT) == Request("GET", "/ready", {}, b"", "1f0e")


@pytest.mark.parametrize(
    ("path", "stage", "expected"),
    [
        ("/prod/predict", "prod", "/predict"),
        ("/prod", "prod", "/"),
        ("/prod/", "prod", "/"),
        ("/production", "prod", "/production"),
        ("/predict", "$default", "/predict"),
        ("/predict", "prod", "/predict"),  # a custom domain
    ],
)
def test_the_stage_is_cut_from_an_http_apis_path(path: str, stage: str, expected: str, aws: ModuleType) -> None:
    event = sample("predict")
    event["rawPath"], event["requestContext"]["stage"] = path, stage
    assert aws.decode(event, CONTEXT).path == expected


def test_the_stage_is_not_cut_from_a_rest_apis_path(aws: ModuleType) -> None:
    event = sample("predict.rest")
    event["path"], event["requestContext"]["stage"] = "/model", "model"
    assert aws.decode(event, CONTEXT).path == "/model"


@pytest.mark.parametrize("body", [None, ""])
def test_no_body_is_an_empty_one(body: Any, aws: ModuleType) -> None:
    assert aws.decode(changed(body=body), CONTEXT).body == b""
    absent = sample("predict")
    del absent["body"]
    assert aws.decode(absent, CONTEXT).body == b""


@pytest.mark.parametrize("body", ["%%%", "YQ", "é", "YQ==\n\nYQ=="])
def test_malformed_base64_is_a_malformed_request(body: str, aws: ModuleType) -> None:
    with pytest.raises(MalformedRequest, match="can't be decoded"):
        aws.decode(changed(body=body, isBase64Encoded=True), CONTEXT)


@pytest.mark.parametrize("body", [{"instances": []}, 5, "\ud800"])
def test_a_body_that_is_no_text_is_a_malformed_request(body: Any, aws: ModuleType) -> None:
    with pytest.raises(MalformedRequest):
        aws.decode(changed(body=body), CONTEXT)


def test_base64_keeps_bytes_that_are_no_text(aws: ModuleType) -> None:
    encoded = base64.b64encode(b"\xff\x00").decode()
    assert aws.decode(changed(body=encoded, isBase64Encoded=True), CONTEXT).body == b"\xff\x00"


def test_null_headers_are_no_headers(aws: ModuleType) -> None:
    assert aws.decode(changed("predict.rest", headers=None, multiValueHeaders=None), CONTEXT).headers == {}


def test_values_of_a_repeated_header_are_joined(aws: ModuleType) -> None:
    event = changed("predict.alb_multi", multiValueHeaders={"Accept": ["text/csv", "application/json"]})
    assert aws.decode(event, CONTEXT).headers == {"accept": "text/csv, application/json"}


@pytest.mark.parametrize("name", ["predict", "predict.url", "predict.rest", "predict.http1"])
def test_an_api_gets_status_headers_and_text(name: str, aws: ModuleType) -> None:
    expected = {"statusCode": 200, "headers": {**OK.headers}, "body": '{"status":"ok"}', "isBase64Encoded": False}
    assert aws.encode(OK, sample(name), CONTEXT) == expected


def test_a_load_balancer_gets_the_status_in_words(aws: ModuleType) -> None:
    answer = aws.encode(OK._replace(status=422), sample("predict.alb"), CONTEXT)
    assert answer["statusDescription"].startswith("422 Unprocessable")
    assert answer["headers"] == OK.headers


def test_a_load_balancer_with_multi_value_headers_gets_no_others(aws: ModuleType) -> None:
    answer = aws.encode(OK, sample("predict.alb_multi"), CONTEXT)
    assert answer["multiValueHeaders"] == {name: [value] for name, value in OK.headers.items()}
    assert "headers" not in answer


@pytest.mark.parametrize(("ours", "theirs"), [(ours, name) for ours, names in SHAPES.items() for name in names])
def test_our_samples_have_the_fields_of_authentic_events(ours: str, theirs: str, aws: ModuleType) -> None:
    path = AUTHENTIC / f"{theirs}.json"
    if not path.exists():
        pytest.skip("authentic events are not beside this checkout")
    authentic, mine = json.loads(path.read_text()), sample(ours)
    # what a sender adds only if the API has it: path parameters, cookies, a query, an authorizer
    optional = {"pathParameters", "cookies", "queryStringParameters", "stageVariables", "authorizer", "authentication", "body"}
    optional |= {"multiValueQueryStringParameters"}
    assert {*mine} - {*authentic} <= optional
    assert {*authentic} - {*mine} <= optional
    for key in {*mine["requestContext"]} - optional:
        assert key in authentic["requestContext"]


@pytest.mark.parametrize("path", sorted(AUTHENTIC.glob("*.json")), ids=lambda path: path.stem)
def test_every_authentic_event_decodes_and_gets_an_answer(path: Path, aws: ModuleType) -> None:
    event = json.loads(path.read_text())
    if isinstance(event, dict) and event.get("isBase64Encoded"):
        event["body"] = base64.b64encode(event["body"].encode()).decode()  # they flag plain text
    request = aws.decode(event, CONTEXT)
    is_http = any(word in path.stem for word in ("apiGateway", "alb", "Url"))
    answer = aws.encode(OK, event, CONTEXT)
    assert ("statusCode" in answer) == is_http
    assert is_http or (request.method, request.path) == ("POST", "/predict")
    assert not is_http or request.path == event.get("rawPath", event.get("path"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = sorted({field for name in SHAPES for field in sample(name)})


DAMAGED = st.builds(
    lambda name, changes: changed(name, **changes),
    st.sampled_from(sorted(SHAPES)),
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3),
)


@pytest.fixture(scope="module")
def function(penguins: Path, aws: ModuleType) -> Callable[[Any, Any], Any]:
    os.environ["FLYWEIGHT_MODEL"] = penguins.name
    try:
        return bind(aws.decode, aws.encode, folder=str(penguins.parent), logs={"": lambda: lambda entry: None})
    finally:
        del os.environ["FLYWEIGHT_MODEL"]


@given(event=JSON | DAMAGED)
@settings(max_examples=300, deadline=None)
def test_no_event_crashes_the_function(event: Any, function: Callable[[Any, Any], Any]) -> None:
    answer = function(event, CONTEXT)
    json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()  # as the runtime client does
    assert answer.get("statusCode", answer.get("status", 200)) in (200, 400, 404, 405, 406, 413, 415, 422, 500)


@pytest.mark.parametrize(
    ("path", "resource", "parameters", "expected"),
    [
        ("/ml/predict", "/{proxy+}", {"proxy": "predict"}, "/predict"),
        ("/ml/predict", "/predict", None, "/predict"),
        ("/ml/v1/models/iris/predict", "/models/{name}/{proxy+}", {"name": "iris", "proxy": "predict"}, "/models/iris/predict"),
        ("/ml", "/", None, "/"),
        ("/ml/", "/", None, "/"),
        ("/models/iris/predict", "/{proxy+}", {"proxy": "models/iris/predict"}, "/models/iris/predict"),
        ("/models/iris/predict", "/models/{name}/predict", {"name": "iris"}, "/models/iris/predict"),
        ("/ml/predict", "/{proxy+}", {"proxy": None}, "/ml/predict"),
        ("/ml/predict", "/{proxy+}", None, "/ml/predict"),
        ("/ml/predict", "/{proxy+}", {"proxy": "another"}, "/ml/predict"),
        ("/ml/predict", 5, 5, "/ml/predict"),
    ],
)
@pytest.mark.parametrize("shape", ["predict.rest", "predict.http1"])
def test_the_base_path_of_a_custom_domain_is_cut(
    path: str, resource: Any, parameters: Any, expected: str, shape: str, aws: ModuleType
) -> None:
    event = changed(shape, path=path, resource=resource, pathParameters=parameters)
    assert aws.decode(event, CONTEXT).path == expected


@pytest.mark.parametrize(
    ("route", "parameters", "expected"),
    [
        ("POST /{proxy+}", {"proxy": "predict"}, "/predict"),
        ("ANY /predict", {}, "/predict"),
        ("$default", {}, "/ml/predict"),
        (None, None, "/ml/predict"),
    ],
)
def test_an_http_apis_route_tells_the_base_path(route: Any, parameters: Any, expected: str, aws: ModuleType) -> None:
    event = changed(rawPath="/ml/predict", routeKey=route, pathParameters=parameters)
    assert aws.decode(event, CONTEXT).path == expected


def test_headers_without_a_value_are_no_headers(aws: ModuleType) -> None:
    nulls = {"Accept": None, "X-Empty": [None], "X-One": [None, "1"], "X-Number": 5}
    expected = {"x-empty": "", "x-one": "1", "x-number": "5"}
    assert aws.decode(changed("predict.rest", multiValueHeaders=nulls), CONTEXT).headers == expected
    assert aws.decode(changed("predict", headers={"accept": None, "host": "h"}), CONTEXT).headers == {"host": "h"}


def test_a_header_in_two_spellings_is_one(aws: ModuleType) -> None:
    twice = {"Accept": ["text/csv"], "accept": ["*/*"], "Content-Type": ["application/json"], "content-type": ["text/csv"]}
    joined = {"accept": "text/csv, */*", "content-type": "application/json"}
    assert aws.decode(changed("predict.rest", multiValueHeaders=twice), CONTEXT).headers == joined


def test_the_headers_of_an_event_are_known_though_its_body_is_not(aws: ModuleType) -> None:
    with pytest.raises(MalformedRequest) as caught:
        aws.decode(changed(body="%", isBase64Encoded=True, headers={"origin": "https://shop.example"}), CONTEXT)
    assert caught.value.request_headers == {"origin": "https://shop.example"}


@pytest.mark.parametrize("name", [*SHAPES])
def test_bytes_of_an_answer_are_base64(name: str, aws: ModuleType) -> None:
    packed = OK._replace(body=b"\x1f\x8b\xff", headers={**OK.headers, "content-encoding": "gzip"})
    answer = aws.encode(packed, sample(name), CONTEXT)
    assert answer["isBase64Encoded"] and base64.b64decode(answer["body"]) == packed.body


@pytest.fixture(scope="module")
def carriers(aws: ModuleType, load: Callable[[str, str], ModuleType]) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "aws_event", aws)
        yield load("aws", "aws_carriers")


@pytest.mark.parametrize("name", [*SHAPES, "predict.direct"])
def test_an_answers_size_is_that_of_the_json_that_lambda_takes(name: str, aws: ModuleType, carriers: ModuleType) -> None:
    """Quotes and backslashes are escaped, letters beyond ASCII where the runtime's client does it."""
    body = json.dumps({"predictions": ['"\\Adélie"'] * 100}, ensure_ascii=False).encode()
    event = sample(name)
    response = OK._replace(body=body)
    sent = json.dumps(aws.encode(response, event, CONTEXT), ensure_ascii=sys.version_info < (3, 12)).encode()
    size = carriers.carrier(event, CONTEXT).size(Answer(body, "application/json"))
    assert 0 <= size - len(sent) <= 4096, "some bytes are kept for headers that come later"


def test_a_load_balancer_carries_less_and_a_rest_api_no_bytes(carriers: ModuleType) -> None:
    found = {name: carriers.carrier(sample(name), CONTEXT) for name in SHAPES}
    assert {name for name, carrier in found.items() if carrier.max_bytes == 1024 * 1024} == {"predict.alb", "predict.alb_multi"}
    assert {carrier.max_bytes for carrier in found.values()} == {1024 * 1024, 6291556}
    assert {name for name, carrier in found.items() if not carrier.binary} == {"predict.rest"}
