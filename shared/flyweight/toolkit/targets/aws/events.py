"""Convert a plain request to Lambda's HTTP event of each sender.

The samples `events/aws/predict.SHAPE.json` are the templates, so that samples and converted requests have the same form.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from flyweight import strict_json
from flyweight.toolkit import resources
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.requests import body_of

# HTTP API 2.0, REST API, HTTP API 1.0, a stage in the path, function URL, load balancer without and with multi-value headers, VPC
# Lattice in both versions, a body in base64, and direct invocation
SHAPES = ("", "rest", "http1", "stage", "url", "alb", "alb_multi", "lattice", "lattice_v1", "base64", "direct")
JSON = {"content-type": "application/json"}


def wrap(request: Mapping[str, Any], shape: str) -> Any:
    """Put a plain request into the sample of a shape, replacing the sample's request.

    :param shape: one of `SHAPES`.
    :raises RuntimeFailed: a direct invocation can't carry this request.
    """
    if shape == "direct":
        return _direct(request)
    sample = _sample(shape)
    path, _, query = request["path"].partition("?")
    words = {"POST": request["method"], "/predict": path, "/prod/predict": f"/prod{path}", "predict": path.removeprefix("/")}
    fields = {**_headers(sample, request), **_query(query), **_body(sample, request)}
    event = {name: fields[name] if name in fields else _replaced(value, words) for name, value in sample.items()}
    if event.get("version") == "2.0" and not event["body"]:
        del event["body"]
    return event


@cache
def _sample(shape: str) -> dict[str, Any]:
    path = resources.folder("events") / "aws" / (f"predict.{shape}.json" if shape else "predict.json")
    sample: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return sample


def _replaced(value: Any, words: dict[str, str]) -> Any:
    """Replace each text that equals one of the words, also in nested values."""
    if isinstance(value, dict):
        return {name: _replaced(item, words) for name, item in value.items()}
    return words.get(value, value) if isinstance(value, str) else value


def _headers(sample: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Add the request's headers to the sender's own, in the sample's letter case: some senders use lower-case names."""
    values = sample.get("headers") or {name: values[0] for name, values in sample["multiValueHeaders"].items()}
    spelling = str.lower if "host" in values else str.title
    headers = {name: value for name, value in values.items() if name.lower() != "content-type"}
    headers |= {spelling(name): value for name, value in request.get("headers", {}).items()}
    if any(isinstance(value, list) for value in values.values()):
        return {"headers": {name: value if isinstance(value, list) else [value] for name, value in headers.items()}}
    return {"headers": headers, "multiValueHeaders": {name: [value] for name, value in headers.items()}}


def _query(query: str) -> dict[str, Any]:
    """Write a query; {} without one, so that the sample's own form of no query is kept."""
    values = parse_qs(query, keep_blank_values=True)
    if not query:
        return {}
    single = {name: value[-1] for name, value in values.items()}
    several = {"multiValueQueryStringParameters": values}
    return {"rawQueryString": query, "queryStringParameters": single, "query_string_parameters": single, **several}


def _body(sample: dict[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Write the body as text, or in base64 if the sample uses it or the body is not text."""
    body = body_of(request)
    if not body:
        return {"body": None if "resource" in sample else "", "isBase64Encoded": False, "is_base64_encoded": False}
    try:
        text = "" if sample.get("isBase64Encoded") else body.decode()
    except UnicodeDecodeError:
        text = ""
    encoded = {"isBase64Encoded": not text, "is_base64_encoded": not text}
    return {"body": text or base64.b64encode(body).decode(), **encoded}


def _direct(request: Mapping[str, Any]) -> Any:
    """Write the JSON of a direct invocation: the document of POST /predict, or the name of an operation.

    :raises RuntimeFailed: another request, or a body that is not strict JSON with finite numbers.
    """
    method, path, headers = request["method"], request["path"], request.get("headers", {})
    if method == "GET" and not headers:
        return {"operation": path.removeprefix("/")}
    if (method, path, headers) != ("POST", "/predict", JSON):
        step = "send POST /predict with content-type application/json and no other header, or GET without headers"
        raise RuntimeFailed(f"a direct invocation can't carry {method} {path} with these headers", step)
    try:
        document = strict_json.parse(body_of(request))
        json.dumps(document, allow_nan=False)
    except ValueError as error:
        raise RuntimeFailed(
            f"a direct invocation can't carry this body: {error}", "send strict JSON with finite numbers"
        ) from None
    return document
