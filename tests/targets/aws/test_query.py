"""Each sender's event has the query of its request, in its own form."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest

from flyweight.toolkit.targets.aws.events import SHAPES, wrap
from tests.targets.aws.events import CONTEXT, folder, sample

__all__ = ["folder"]
HTTP = [shape for shape in SHAPES if shape not in ("direct", "base64")]


@pytest.mark.parametrize("shape", HTTP)
def test_a_request_has_the_query_that_was_sent(shape: str, folder: None) -> None:
    from aws_event import decode

    event = wrap({"method": "GET", "path": "/graphql?query=%7Ba%7D&b=1&b=2", "headers": {}}, shape)
    if shape.startswith("alb"):  # a balancer leaves percent-encoding alone
        event = with_values(event, "%7Ba%7D")
    request = decode(event, CONTEXT)
    assert request.path == "/graphql"
    assert dict(parse_qsl(request.query)) == {"query": "{a}", "b": "2"}


@pytest.mark.parametrize("name", ["predict", "predict.rest", "predict.alb", "predict.lattice", "predict.url"])
def test_a_request_without_a_query_has_none(name: str, folder: None) -> None:
    from aws_event import decode

    assert decode(sample(name), CONTEXT).query == ""


def with_values(event: dict[str, Any], value: str) -> dict[str, Any]:
    """Write the values of an event's query as a balancer does."""
    changed = dict(event)
    for name in ("queryStringParameters", "multiValueQueryStringParameters"):
        if name in event:
            several = name.startswith("multi")
            changed[name] = {"query": [value] if several else value, "b": ["1", "2"] if several else "2"}
    return changed
