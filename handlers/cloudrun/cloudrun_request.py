"""Decode and encode as our own HTTP server does; what Cloud Run carries is limited, as for functions."""

import server_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from server_http import Message

    from flyweight.values import Request, Response


def decode(message: "Message") -> "Request":
    """Decode a request.

    :raises FlyweightError: the server refuses it.
    """
    return server_request.decode(message)


def encode(response: "Response", message: "Message") -> "Response":
    """Add the length of the body."""
    return server_request.encode(response, message)


encode.carriers = "gcp_carriers"  # type: ignore[attr-defined]  # `handler.bind` imports it for a large answer
