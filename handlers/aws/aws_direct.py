"""Decode events that are no HTTP event of an API or balancer: direct invocations, VPC Lattice, agents, Athena; and answer them.

Any JSON is the body of POST /predict, or {"operation": "health"} for GET /health, and so for other paths.
"""

import json

from flyweight.errors import FlyweightError, MalformedRequest, ModelUnavailable
from flyweight.values import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.values import Response


class InternalError(FlyweightError):
    """An unexpected error; the log has its traceback under the request's id."""


def request_of(event: "Any", context: "Any", decode_http: "Callable[[Any, Any], Request]") -> Request:
    """Decode an event to a request.

    :param decode_http: decodes an event of a REST API, into which an event of VPC Lattice is translated.
    :raises MalformedRequest: the event is nested too deeply, or as `decode_http`.
    """
    request_id = getattr(context, "aws_request_id", "")
    dialect = _dialect(event, context)
    if dialect is not None:
        request: Request = dialect.request_of(event, request_id, lambda translated: decode_http(translated, context))
        return request
    if _is_operation(event):
        return Request("GET", f"/{event['operation']}", {}, b"", request_id)
    # an input transformer with a template of text makes a text of JSON:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    written = isinstance(event, str) and event.lstrip()[:1] in ("{", "[")
    try:
        body = event if written else json.dumps(event)
    except RecursionError:
        raise MalformedRequest("the event is nested too deeply", request_id) from None
    return Request("POST", "/predict", {"content-type": "application/json"}, body.encode("utf-8", "surrogatepass"), request_id)


def answer_of(response: "Response", event: "Any", context: "Any", encode_http: "Callable[[Response, Any, Any], Any]") -> "Any":
    """Encode a response in the form that the event's sender takes; a direct invocation gets the document itself.

    :param encode_http: encodes for a REST API.
    :raises ModelUnavailable: no model can answer a direct invocation now. Nobody may be waiting for the answer: an asynchronous
        invocation is tried again, and a state machine catches the error by its name.
    :raises InternalError: the model failed in a way that nobody expected.
    """
    dialect = _dialect(event, context)
    if dialect is not None:
        return dialect.answer_of(response, event, lambda translated: encode_http(response, translated, context))
    document = json.loads(response.body)
    if response.status >= FlyweightError.status and "request_id" in document and not _is_operation(event):
        error = ModelUnavailable if response.status == ModelUnavailable.status else InternalError
        raise error(document.get("detail") or f"unexpected error; the log has it under the request id {document['request_id']}")
    return document


def _dialect(event: "Any", context: "Any") -> "Any":
    """Find what reads the sender's events; None for a direct invocation."""
    if getattr(context, "client_context", None) is not None:
        import aws_agentcore

        if (call := aws_agentcore.call(context)) is not None:
            return call
    if not isinstance(event, dict):
        return None
    if "method" in event and ("raw_path" in event or "requestContext" in event):
        import aws_lattice as dialect
    elif "actionGroup" in event and "messageVersion" in event:
        import aws_bedrock as dialect  # type: ignore[no-redef]
    elif "@type" in event and "instances" not in event:
        import aws_athena as dialect  # type: ignore[no-redef]
    else:
        return None
    return dialect


def _is_operation(event: "Any") -> bool:
    """Tell whether a direct invocation asks for something else than a prediction, such as the function's health."""
    return isinstance(event, dict) and [*event] == ["operation"]
