"""Decode a request that the Functions host passes on, by the invocation's id; answers are those of our own server."""

import server_request

from flyweight.errors import NotServed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message

    from flyweight.values import Request, Response

# the invocation's id, which the host writes over a caller's header: as a proxy, and where it sends requests of its own
INVOCATION = ("x-ms-invocation-id", "x-azure-functions-invocationid")
EVENTS = ("aeg-event-type", "webhook-request-origin")  # the headers by which Event Grid is known


def decode(message: "Message") -> "Request":
    """Decode a request.

    :raises FlyweightError: the server refuses it.
    :raises NotServed: Event Grid sends it.
    """
    request = server_request.decode(message)
    if any([name in request.headers for name in EVENTS]):
        raise NotServed("a custom handler serves no events; deploy with client=platform, see docs/azure-custom-handler.md")
    identities = [request.headers[name] for name in INVOCATION if name in request.headers]
    return request._replace(request_id=identities[0]) if identities else request


def encode(response: "Response", message: "Message") -> "Response":
    """Encode a response as the server does."""
    return server_request.encode(response, message)
