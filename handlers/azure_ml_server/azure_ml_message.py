"""Decode a request that an online endpoint passes on, by the id of its caller; answers are those of our own server.

https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http#request-headers has the headers of the id.
"""

import server_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message

    from flyweight.values import Request, Response

CALLERS = ("x-request-id", "x-ms-client-request-id", "x-ms-request-id")


def decode(message: "Message") -> "Request":
    """Decode a request.

    :raises FlyweightError: the server refuses it.
    """
    request = server_request.decode(message)
    given = [request.headers[name] for name in CALLERS if request.headers.get(name)]
    return request._replace(request_id=given[0]) if given else request


def encode(response: "Response", message: "Message") -> "Response":
    """Encode a response as the server does."""
    return server_request.encode(response, message)
