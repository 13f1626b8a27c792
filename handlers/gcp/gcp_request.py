"""Decode a Flask request to a Request, and encode a Response as what Flask takes from a view."""

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import flask


def decode(request: "flask.Request") -> Request:
    """Decode a Flask request.

    :raises MalformedRequest: the body breaks off.
    :raises TooLarge: Flask does not read a body of this size.
    """
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise TooLarge(f"the body has {request.content_length} bytes, more than the server reads", headers) from None
    except BadRequest as error:
        raise MalformedRequest(f"the body can't be read: {error.description}", "", headers) from None
    return Request(request.method, request.path, headers, body, headers.get("function-execution-id", ""))


def encode(response: Response, request: "flask.Request") -> "tuple[bytes | Iterator[bytes], int, Mapping[str, str]]":
    """Encode a response as body, status and headers."""
    # Flask would replace the length that an answer to HEAD has by that of its body; it leaves an iterator's alone
    nothing: Iterator[bytes] = iter(())
    return nothing if "content-length" in response.headers else response.body, response.status, response.headers


encode.carriers = "gcp_carriers"  # type: ignore[attr-defined]  # `handler.bind` imports it for a large answer
