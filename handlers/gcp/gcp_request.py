"""Decode a Flask request to a Request, and encode a Response as what Flask takes from a view."""

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flyweight.errors import MalformedRequest, TooLarge
from flyweight.values import Request, Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

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
        raise TooLarge(f"the body has {request.content_length} bytes, more than the server reads") from None
    except BadRequest as error:
        raise MalformedRequest(f"the body can't be read: {error.description}") from None
    return Request(request.method, request.path, headers, body, headers.get("function-execution-id", ""))


def encode(response: Response, request: "flask.Request") -> "tuple[bytes, int, Mapping[str, str]]":
    """Encode a response as body, status and headers."""
    return response.body, response.status, response.headers
