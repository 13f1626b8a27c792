"""The model as a WSGI application, for servers of your own choice: `gunicorn 'wsgi:application()'`."""

from server_http import Message
from server_mount import path_below

from flyweight.errors import FlyweightError, MalformedRequest, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from server_loop import Answer

BLOCK = 64 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024  # larger than any model's limit, which the service enforces and explains


def application(answer: "Answer | None" = None) -> "WSGIApplication":
    """Make a WSGI application.

    :param answer: answers one request; None for that of the folder, which loads its model now.
    """
    from http import HTTPStatus
    from itertools import chain

    chosen: Answer = answer or __import__("server_main").answer

    def respond(variables: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        response = chosen(_message(variables))
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", [*response.headers.items()])
        if response.blocks is not None:
            return chain([response.body], response.blocks)
        return [response.body] if response.body else []

    return respond


def _message(variables: "WSGIEnvironment") -> Message:
    """Convert the request that a WSGI server has parsed."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in variables.items() if name.startswith("HTTP_")}
    headers["content-type"] = variables.get("CONTENT_TYPE") or ""
    target = path_below(variables.get("PATH_INFO", ""), variables.get("SCRIPT_NAME", ""), headers)
    query = variables.get("QUERY_STRING", "")
    message = Message(variables["REQUEST_METHOD"], f"{target}?{query}" if query else target, headers)
    try:
        message.body = _body(variables, headers)
    except FlyweightError as error:
        message.error = error
    return message


def _body(variables: "WSGIEnvironment", headers: "dict[str, str]") -> bytes:
    """Read the body: to its end where the server says that it ends there, which a body in chunks needs, else by its length.

    https://github.com/GrahamDumpleton/wsgi-notes has `wsgi.input_terminated`; PEP 3333 knows no body without a length.

    :raises MalformedRequest: the length is not a number, or the server does not say where a body in chunks ends.
    :raises TooLarge: the body is larger than any that is answered.
    """
    length = variables.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdecimal()):
        raise MalformedRequest(f"the content length is {length[:20]!r}", "", headers)
    left = MAX_BODY_BYTES + 1
    if not variables.get("wsgi.input_terminated"):
        if "transfer-encoding" in headers:
            raise MalformedRequest("this server passes on no body in chunks; send Content-Length", "", headers)
        left = min(left, int(length[:15]))
    parts = []
    while left > 0 and (part := variables["wsgi.input"].read(min(left, BLOCK))):
        parts.append(part)
        left -= len(part)
    body = b"".join(parts)
    if len(body) > MAX_BODY_BYTES:
        raise TooLarge(f"the body has more than {MAX_BODY_BYTES} bytes", headers)
    return body
