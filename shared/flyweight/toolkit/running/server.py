"""Serve a model as a WSGI application, with the same paths, answers and log lines as in every provider's function."""

import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flyweight import settings
from flyweight.errors import MalformedRequest
from flyweight.serving import logs
from flyweight.serving.service import Service
from flyweight.values import Request, Response

if TYPE_CHECKING:
    from flyweight.serving.logs import Log

# Larger than any model's limit, too small to fill a disk; the service enforces the limit itself, and explains it in its answer.
MAX_BODY_BYTES = 64 * 1024 * 1024


def application(model: str | Path, log: "Log | None" = None) -> WSGIApplication:
    """Create a WSGI application for one model, a file or an address in a store; its settings are those of a function.

    :raises ModelRefused: the file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    address = str(model) if "://" in str(model) else str(Path(model).resolve())
    deployment = settings.read(os.path.dirname(address))._replace(model=address)
    service = Service(deployment, log or logs.line({}))
    service.models.get(address)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return encode(service.respond(decode, (environ,)), environ, start_response)

    return answer


def server(model: str | Path, host: str, port: int) -> tuple[str, Callable[[], None]]:
    """Create a listening waitress server; return its URL (port 0: a free one), and a function that runs it until interrupted."""
    from waitress.server import create_server

    waitress = create_server(application(model), host=host, port=port, max_request_body_size=MAX_BODY_BYTES, ident="flyweight")
    return f"http://{host}:{waitress.effective_port}", waitress.run


def decode(environ: WSGIEnvironment) -> Request:
    """Convert the request that a WSGI server has parsed.

    :raises MalformedRequest: the content length is not a number.
    """
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise MalformedRequest(f"the content length is {length[:20]!r}")
    body = environ["wsgi.input"].read(int(length))
    return Request(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "") or "/", headers, body, headers.get("x-request-id", ""))


def encode(response: Response, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Pass status line and headers to the server, and return the body (empty for HEAD)."""
    headers = [*response.headers.items(), ("content-length", str(len(response.body)))]
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]
