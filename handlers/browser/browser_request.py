"""The parts of a request from JavaScript to a Request, and a Response to its parts."""

from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def decode(method: str, path: str, headers: "Any", body: "Any") -> Request:
    """Decode a request: `headers` is an object with names in lower case, and `body` an array of bytes."""
    place, _, query = path.partition("?")
    return Request(method, place, headers.to_py(), body.to_bytes(), query=query)


def encode(response: Response, *event: "Any") -> "tuple[int, dict[str, str], bytes]":
    """Return status, headers and body."""
    return response.status, dict(response.headers), response.body
