"""Translate events of VPC Lattice, versions 1 and 2, to the form of a REST API's; the answer has the same form for both.

https://docs.aws.amazon.com/vpc-lattice/latest/ug/lambda-functions.html
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.values import Request, Response


def request_of(event: "dict[str, Any]", request_id: str, decode_http: "Callable[[Any], Request]") -> "Request":
    """Decode an event to a request."""
    return decode_http(_translated(event))


def answer_of(response: "Response", event: "dict[str, Any]", encode_http: "Callable[[Any], Any]") -> "Any":
    """Encode a response as for a REST API."""
    return encode_http(_translated(event))


def _translated(event: "dict[str, Any]") -> "dict[str, Any]":
    """Translate an event of VPC Lattice; a path may have its query in version 1."""
    headers = event.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    path = event.get("raw_path", event.get("path"))
    return {
        "httpMethod": event["method"],
        "path": path.partition("?")[0] if isinstance(path, str) else path,
        "rawQueryString": path.partition("?")[2] if isinstance(path, str) else "",
        "multiValueQueryStringParameters": event.get("queryStringParameters", event.get("query_string_parameters")),
        "multiValueHeaders": {name: value if isinstance(value, list) else [value] for name, value in headers.items()},
        "body": event.get("body"),
        "isBase64Encoded": event.get("is_base64_encoded", event.get("isBase64Encoded")),
        "requestContext": {},
    }
