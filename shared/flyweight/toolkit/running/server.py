"""Serve a model as a WSGI application, with the same paths, answers and log lines as in every provider's function."""

import os
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
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


class Server:
    """A server that listens; `url` is its address. As a context manager it answers in a thread, until the block ends.

    :param port: 0 chooses a free one.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """

    def __init__(self, model: str | Path, host: str, port: int) -> None:
        from waitress.server import create_server

        self._sockets: dict[int, Any] = {}
        self._waitress = create_server(
            application(model), self._sockets, host=host, port=port, max_request_body_size=MAX_BODY_BYTES, ident="flyweight"
        )
        self._thread: Thread | None = None
        self.url = f"http://{host}:{self._waitress.effective_port}"

    def run(self) -> None:
        """Answer requests until Ctrl-C, or until `close`."""
        self._waitress.run()

    def start(self) -> None:
        """Answer requests in a thread, until `close`."""
        self._thread = Thread(target=self.run, daemon=True, name=f"flyweight {self.url}")
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and free the port."""
        if self._thread is None or not self._sockets:
            self._close_sockets()
        else:  # by the thread that waits for them
            self._waitress.trigger.pull_trigger(self._close_sockets)
            self._thread.join()
        self._waitress.task_dispatcher.shutdown()

    def _close_sockets(self) -> None:
        for socket in [*self._sockets.values()]:
            socket.close()

    def __enter__(self) -> "Server":
        if self._thread is None:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flyweight server on {self.url}>"


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
