"""Decode a request that the server has parsed, and complete the headers of its answer."""

from flyweight.errors import NO_CONTENT
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message


def decode(message: "Message") -> Request:
    """Decode a request.

    :raises FlyweightError: the server refuses it.
    """
    if message.error is not None:
        raise message.error
    headers = message.headers
    query = message.target.partition("?")[2]
    return Request(message.method, message.path, headers, message.body, headers.get("x-request-id", ""), query)


def encode(response: Response, message: "Message") -> Response:
    """Add the length of the body; an answer to HEAD has that of the body that it leaves out, one in blocks has none."""
    if response.status == NO_CONTENT or "content-length" in response.headers or response.blocks is not None:
        return response
    return Response(response.status, {**response.headers, "content-length": str(len(response.body))}, response.body)
