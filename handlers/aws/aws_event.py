"""Decode a Lambda event to a Request, and encode a Response in the form that the sender of the event takes.

HTTP API (payload 2.0) and function URL: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
REST API (payload 1.0): https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
Load balancer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
Any other event is read by `aws_direct`.
"""

from sys import modules

from flyweight.errors import MalformedRequest
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TEXTS = frozenset((str,))


def decode(event: "Any", context: "Any") -> Request:
    """Decode an event to a request.

    :raises MalformedRequest: the body is not text, or not base64 though the event says so.
    """
    request_id = getattr(context, "aws_request_id", "")
    sender = _http_sender(event)
    if sender is None:
        import aws_direct  # imported late: no event of an API or a balancer needs it

        return aws_direct.request_of(event, context, decode)
    if "http" in sender:
        method, path = sender["http"].get("method"), event.get("rawPath")
    else:
        method, path = event["httpMethod"], event.get("path")
    if not isinstance(method, str) or not isinstance(path, str):
        raise MalformedRequest("the event's method and path should be texts", request_id)
    if event.get("routeKey", event.get("resource", "$default")) != "$default" or sender.get("stage", "$default") != "$default":
        from aws_paths import below_base  # imported late: a function URL and a balancer put nothing before a path

        path = below_base(path, event)
    headers = _headers(event)
    query = event.get("rawQueryString") or ""
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    if parameters and not query:
        from aws_query import query_of  # imported late: few requests have a query

        query = query_of(parameters, decoded="elb" not in sender)
    return Request._make((method, path, headers, _body(event, request_id, headers), request_id, query))


def encode(response: Response, event: "Any", context: "Any") -> "Any":
    """Encode a response in the form that the event's sender takes; a direct invocation gets the document itself."""
    sender = _http_sender(event)
    if sender is None:
        import aws_direct

        return aws_direct.answer_of(response, event, context, encode)
    streaming = modules.get("aws_client_streaming")
    if streaming is not None and streaming.carries(event):
        return streaming.Streamed(response.status, {**response.headers}, response.body, response.blocks)
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "headers": {**response.headers},
        "body": "",
        "isBase64Encoded": "content-encoding" in response.headers,
    }
    if answer["isBase64Encoded"]:
        from binascii import b2a_base64  # few answers are compressed

        answer["body"] = b2a_base64(response.body, newline=False).decode()
    else:
        answer["body"] = response.body.decode()
    if "elb" in sender:
        import aws_balancer  # imported late: only a load balancer needs more than that

        aws_balancer.complete(answer, event)
    return answer


encode.streams = "aws_client_streaming"  # type: ignore[attr-defined]  # our client imports it if it is to carry streams
encode.carriers = "aws_carriers"  # type: ignore[attr-defined]  # `handler.bind` imports it for a large answer


def _http_sender(event: "Any") -> "dict[str, Any] | None":
    """Get the requestContext of an event that carries HTTP; None for a direct invocation."""
    sender = event.get("requestContext") if isinstance(event, dict) else None
    if isinstance(sender, dict) and (isinstance(sender.get("http"), dict) or "httpMethod" in event):
        return sender
    return None


def _headers(event: "dict[str, Any]") -> "Mapping[str, str]":
    """Get the headers with names in lower case; several values of a header are joined, but for the content type, which is one."""
    given = event.get("multiValueHeaders") or event.get("headers")
    if type(given) is dict and TEXTS.issuperset(map(type, given.values())):
        names = "".join(given)
        if names.isascii() and names == names.lower():  # as HTTP APIs and function URLs send them
            return given
    from aws_headers import joined  # imported late: a REST API and a balancer send lists of values, or names in capitals

    return joined(given)


def _body(event: "dict[str, Any]", request_id: str, headers: "Mapping[str, str]") -> bytes:
    """Get the bytes of the body.

    :param headers: for the answer to a body that can't be read.
    :raises MalformedRequest: it is not text, or not base64 though the event says so.
    """
    body = event.get("body") or ""
    try:
        if not event.get("isBase64Encoded"):
            return bytes(body, "utf-8")
        from binascii import a2b_base64

        return a2b_base64(body, strict_mode=True)
    except (TypeError, ValueError) as error:
        raise MalformedRequest(f"the event's body can't be decoded: {error}", request_id, headers) from None
