"""A request as the decoder and triggers read it, made of Flask's; the message of our own HTTP server has the same attributes."""

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flyweight.errors import MalformedRequest, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import flask


class Message:
    """A request.

    `target`: path and query; `headers`: by name in lower case; `error`: why the body can't be read, None if it was read.
    """

    __slots__ = ("body", "error", "headers", "method", "path", "target")

    def __init__(self, request: "flask.Request") -> None:
        self.method, self.path, self.target = request.method, request.path, request.full_path.rstrip("?")
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.body = b""
        self.error: Exception | None = None
        try:
            self.body = request.get_data(cache=False)
        except RequestEntityTooLarge:
            size = request.content_length
            self.error = TooLarge(f"the body has {size} bytes, more than the server reads", self.headers)
        except BadRequest as error:
            self.error = MalformedRequest(f"the body can't be read: {error.description}", "", self.headers)


def opened(sent: "Any") -> "Any":
    """Make the message of a Flask request; an argument of another signature stays as it is."""
    return Message(sent) if hasattr(sent, "full_path") else sent
