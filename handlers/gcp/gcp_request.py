"""Decode the message of a Flask request to a Request, and encode a Response as what Flask takes from a view."""

from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcp_message import Message


def decode(message: "Message") -> Request:
    """Decode a request.

    :raises FlyweightError: its body can't be read.
    """
    if message.error is not None:
        raise message.error
    headers = message.headers
    query = message.target.partition("?")[2]
    return Request(message.method, message.path, headers, message.body, headers.get("function-execution-id", ""), query)


def encode(response: Response, message: "Message") -> "tuple[bytes | Iterator[bytes], int, Mapping[str, str]]":
    """Encode a response as body, status and headers."""
    # Flask would replace the length that an answer to HEAD has by that of its body; it leaves an iterator's alone
    nothing: Iterator[bytes] = iter(())
    return nothing if "content-length" in response.headers else response.body, response.status, response.headers


encode.carriers = "gcp_carriers"  # type: ignore[attr-defined]  # `handler.bind` imports it for a large answer
