"""The toy's event to a Request, and a Response to the toy's answer."""

from base64 import b64decode, b64encode

from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def decode(event: "dict[str, Any]") -> Request:
    """Read an event: a verb, an address, fields and a payload in base64."""
    fields = {name.lower(): value for name, value in event["fields"].items()}
    path, _, query = event["address"].partition("?")
    return Request(event["verb"], path, fields, b64decode(event["payload"]), fields.get("x-request-id", ""), query)


def encode(response: Response, event: "dict[str, Any]") -> "dict[str, Any]":
    """Write an answer: a number, fields and a payload in base64."""
    payload = b64encode(response.body).decode()
    return {"number": response.status, "fields": dict(response.headers), "payload": payload}
