"""Serve a model on this machine by the server of `handlers/server`, with the same answers as in every provider's function."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from flyweight import settings
from flyweight.serving import logs
from flyweight.serving.service import Service
from flyweight.toolkit import resources

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from flyweight.serving.logs import Log


def application(model: str | Path, log: "Log | None" = None) -> "WSGIApplication":
    """Create a WSGI application for one model, a file or an address in a store; its settings are those of a function.

    :raises ModelRefused: the file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    made: WSGIApplication = _part("wsgi").application(_answers(_service(model, log)))
    return made


class Server:
    """A server that listens; `url` is its address. As a context manager it answers in a thread, until the block ends.

    :param port: 0 chooses a free one.
    :param request_seconds: in which a request has to arrive whole; None for the usual time.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    """

    def __init__(self, model: str | Path, host: str, port: int, request_seconds: int | None = None) -> None:
        connections = _part("server_connections")
        service = _service(model, None)
        bounds = settings.serving()
        if request_seconds is not None:
            seconds = float(request_seconds)
            bounds = bounds._replace(head_seconds=seconds, body_seconds=seconds, idle_seconds=seconds)
        listener = connections.listen(host, port)
        self._server = connections.Server(listener, _answers(service), bounds, service.settings.limits.max_body_bytes)
        self._thread: Thread | None = None
        place = f"[{host}]" if ":" in host else host or "localhost"
        self.url = f"http://{place}:{listener.getsockname()[1]}"

    def run(self) -> None:
        """Answer requests until Ctrl-C, or until `close`."""
        self._server.run()

    def start(self) -> None:
        """Answer requests in a thread, until `close`."""
        self._thread = Thread(target=self.run, daemon=True, name=f"flyweight {self.url}")
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and free the port."""
        self._server.close()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "Server":
        if self._thread is None:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flyweight server on {self.url}>"


def _service(model: str | Path, log: "Log | None") -> Service:
    """Load a model for a service whose settings are those of a function.

    :raises ModelRefused: the file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    address = str(model) if "://" in str(model) else str(Path(model).resolve())
    deployment = settings.read(os.path.dirname(address))._replace(model=address)
    service = Service(deployment, log or logs.line({}))
    for warning in settings.misspelt():
        service.log({"level": "WARNING", "message": warning})
    service.models.get(address)
    return service


def _answers(service: Service) -> Callable[..., Any]:
    """Bind the adapter of `handlers/server` to a service."""
    adapter = _part("server_request")
    return lambda message: adapter.encode(service.respond(adapter.decode, (message,)), message)


def _part(name: str) -> Any:
    """Import a module of `handlers/server`, whose modules import one another from their own folder."""
    folder = str(resources.folder("handlers") / "server")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
