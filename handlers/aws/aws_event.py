"""Decode a Lambda event to a Request, and encode a Response in the form that the sender of the event takes.

HTTP API (payload 2.0) and function URL: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
REST API (payload 1.0): https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
Load balancer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
Any other JSON is a direct invocation: the body of POST /predict, or {"operation": "health"} for GET /health, and so for other
paths.
"""

import json

from flyweight.errors import MalformedRequest
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def decode(event: "Any", context: "Any") -> Request:
    """Decode an event to a request.

    :raises MalformedRequest: the body is not text, or not base64 though the event says so.
    """
    request_id = getattr(context, "aws_request_id", "")
    sender = _http_sender(event)
    if sender is None:
        return _direct(event, request_id)
    if "http" in sender:
        method, path = sender["http"]["method"], event["rawPath"]
    else:
        method, path = event["httpMethod"], event["path"]
    if "version" in event:  # an HTTP API, whose paths begin with the stage; a REST API's do not
        path = _without_stage(path, sender.get("stage"))
    return Request(method, path, _headers(event), _body(event, request_id), request_id)


def encode(response: Response, event: "Any", context: "Any") -> "Any":
    """Encode a response in the form that the event's sender takes; a direct invocation gets the document itself."""
    sender = _http_sender(event)
    if sender is None:
        return json.loads(response.body)
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "headers": {**response.headers},
        "body": response.body.decode(),
        "isBase64Encoded": False,
    }
    if "elb" in sender:
        from http import HTTPStatus  # only a load balancer needs the phrase

        answer["statusDescription"] = f"{response.status} {HTTPStatus(response.status).phrase}"
        if "multiValueHeaders" in event:  # then it reads no other headers
            answer["multiValueHeaders"] = {name: [value] for name, value in answer.pop("headers").items()}
    return answer


def _http_sender(event: "Any") -> "dict[str, Any] | None":
    """Get the requestContext of an event that carries HTTP; None for a direct invocation."""
    sender = event.get("requestContext") if isinstance(event, dict) else None
    if isinstance(sender, dict) and (isinstance(sender.get("http"), dict) or "httpMethod" in event):
        return sender
    return None


def _direct(event: "Any", request_id: str) -> Request:
    """Make the request of a direct invocation."""
    if isinstance(event, dict) and [*event] == ["operation"]:
        return Request("GET", f"/{event['operation']}", {}, b"", request_id)
    return Request("POST", "/predict", {"content-type": "application/json"}, json.dumps(event).encode(), request_id)


def _without_stage(path: str, stage: "str | None") -> str:
    """Remove the stage from a path if it is there; a custom domain's paths have none."""
    prefix = f"/{stage}"
    return path[len(prefix) :] or "/" if path == prefix or path.startswith(prefix + "/") else path


def _headers(event: "dict[str, Any]") -> "Mapping[str, str]":
    """Get the headers with names in lower case; several values of a header are joined."""
    if event.get("multiValueHeaders"):
        return {name.lower(): ", ".join(values) for name, values in event["multiValueHeaders"].items()}
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _body(event: "dict[str, Any]", request_id: str) -> bytes:
    """Get the bytes of the body.

    :raises MalformedRequest: it is not text, or not base64 though the event says so.
    """
    body = event.get("body") or ""
    try:
        if not event.get("isBase64Encoded"):
            return bytes(body, "utf-8")
        from binascii import a2b_base64

        return a2b_base64(body, strict_mode=True)
    except (TypeError, ValueError) as error:
        raise MalformedRequest(f"the event's body can't be decoded: {error}", request_id) from None
