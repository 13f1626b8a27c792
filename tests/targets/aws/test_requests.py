"""A plain request in each shape of Lambda's HTTP events: the adapter reads the same request from all of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.events import samples
from flyweight.toolkit.targets.aws.runtime import Runtime
from flyweight.toolkit.targets.requests import body_of
from tests.targets.aws.events import CONTEXT
from tests.targets.paths import on_path

folder = on_path("aws")
HTTP_SHAPES = [shape for shape in Runtime.SHAPES if shape != "direct"]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def aws(load: Callable[[str, str], ModuleType]) -> ModuleType:
    return load("aws", "aws_event")


def post(body: Any, **changes: Any) -> dict[str, Any]:
    return {"method": "POST", "path": "/predict", "headers": JSON, "body": body, **changes}


@pytest.mark.parametrize("shape", HTTP_SHAPES)
def test_the_adapter_reads_the_plain_request_from_each_shape(shape: str, aws: ModuleType) -> None:
    for request in samples.requests().values():
        read = aws.decode(Runtime.event(request, shape), CONTEXT)
        assert (read.method, read.path, read.body) == (request["method"], request["path"], body_of(request))
        headers = request.get("headers", {})
        assert {name: read.headers.get(name) for name in {*headers, "content-type"}} == {"content-type": None, **headers}


def test_a_direct_invocation_is_read_as_the_request_it_was_made_of(aws: ModuleType) -> None:
    for request in samples.requests().values():
        if "direct" in samples.shapes("aws", request):
            read = aws.decode(Runtime.event(request, "direct"), CONTEXT)
            assert (read.method, read.path, read.body) == (request["method"], request["path"], body_of(request))


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (post([], path="/"), "POST /"),
        (post([], headers={}), "with these headers"),
        (post([], headers={**JSON, "accept": "text/csv"}), "with these headers"),
        ({"method": "GET", "path": "/model", "headers": {"accept": "text/csv"}}, "GET /model"),
        (post('{"instances": [[1]], "instances": []}'), "twice"),
        (post('{"instances": [[NaN]]}'), "NaN"),
        (post('{"instances": [[1e400]]}'), "not JSON compliant"),
        (post("", body_base64="/w=="), "not UTF-8"),
    ],
)
def test_a_direct_invocation_refuses_what_it_can_not_carry(request_: dict[str, Any], reason: str) -> None:
    with pytest.raises(RuntimeFailed, match=reason) as refused:
        Runtime.event(request_, "direct")
    assert refused.value.next_step


def test_a_query_comes_in_the_fields_of_each_sender() -> None:
    request = {"method": "GET", "path": "/model?a=1&a=2"}
    assert Runtime.event(request)["rawQueryString"] == "a=1&a=2"
    rest = Runtime.event(request, "rest")
    assert (rest["path"], rest["queryStringParameters"]) == ("/model", {"a": "2"})
    assert rest["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert rest["requestContext"]["path"] == "/prod/model" and rest["pathParameters"] == {"proxy": "model"}


ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]


@pytest.mark.parametrize("shape", ["alb", "alb_multi"])
@pytest.mark.parametrize(("accepted", "status"), [("identity", 413), ("gzip", 200)])
def test_a_load_balancer_gets_a_large_answer_compressed_or_advice(
    shape: str, accepted: str, status: int, built: Callable[[str], Path]
) -> None:
    body = {"instances": [ROW] * 9000, "outputs": ["predictions", "probabilities", "scores"]}
    request = post(body, headers={**JSON, "accept-encoding": accepted})
    with Runtime(built("aws")) as running:
        answer = running.invoke(Runtime.event(request, shape))
    assert answer.status == status
    if status == 200:
        assert json.loads(gzip.decompress(answer.body))["predictions"] == ["Gentoo"] * 9000
    else:
        assert "a load balancer carries at most 1048576" in json.loads(answer.body)["detail"]
