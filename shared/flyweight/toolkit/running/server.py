"""Serve a model on this machine by the server of `handlers/server`, with the same answers as in every provider's function."""

import errno
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from flyweight import settings
from flyweight.serving import logs
from flyweight.serving.service import Service
from flyweight.toolkit import model_files, resources
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.running import graphql_page


class Server:
    """A server that listens; `url` is its address. As a context manager it answers in a thread, until the block ends.

    :param port: 0 chooses a free one.
    :param request_seconds: in which a request has to arrive whole; None for the usual time.
    :param workers: processes that `serve` starts. If loading the model starts threads, which a fork loses, the program starts
        over, and each process loads the model.
    :param grpc_port: on which `serve` answers gRPC too, at the address `grpc`; None for FLYWEIGHT_GRPC_PORT.
    :raises ModelRefused: the model file fails a check.
    :raises ModelUnavailable: it can't be read.
    :raises RuntimeFailed: the port is in use, or this machine does not have the address.
    """

    def __init__(
        self,
        model: str | Path,
        host: str,
        port: int,
        request_seconds: int | None = None,
        workers: int = 1,
        grpc_port: int | None = None,
    ) -> None:
        self.forks_first = workers > 1 and _part("server_start").FORK_FIRST in sys.argv
        self._service = _service(model, load=not self.forks_first)
        if self.forks_first:
            os.register_at_fork(after_in_child=self._service.preload)
        elif workers > 1:
            _part("server_workers").start_over()
        usual = settings.serving()
        self._bounds = usual._replace(workers=workers, host=host, grpc_port=grpc_port or usual.grpc_port)
        if request_seconds is not None:
            seconds = float(request_seconds)
            self._bounds = self._bounds._replace(head_seconds=seconds, body_seconds=seconds, idle_seconds=seconds)
        self._listener = _listening(host, port)
        self._server: Any = None
        self._thread: Thread | None = None
        place = f"[{host}]" if ":" in host else host or "localhost"
        self.url = f"http://{place}:{self._listener.getsockname()[1]}"
        self.grpc = "" if self._bounds.grpc_port is None else f"{place}:{self._bounds.grpc_port}"

    def serve(self, on_stop: Callable[[], None] = lambda: None) -> int:
        """Answer requests until SIGTERM or Ctrl-C, and finish those that have begun.

        :param on_stop: called once, when the signal has come.
        :returns: the exit status: 0 if all of them were finished in time.
        """
        part = _part("server_start")
        status: int = part.answer_on(self._listener, _answers(self._service), self._service, self._bounds, on_stop)
        return status

    def run(self) -> None:
        """Answer requests in this process until Ctrl-C, or until `close`."""
        self._made().run()

    def start(self) -> None:
        """Answer requests in a thread, until `close`."""
        self._made()
        self._thread = Thread(target=self.run, daemon=True, name=f"flyweight {self.url}")
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and free the port."""
        if self._server is None:
            self._listener.close()
        else:
            self._server.close()
        if self._thread is not None:
            self._thread.join()

    def _made(self) -> Any:
        if self._server is None:
            most = self._service.settings.limits.max_body_bytes
            self._server = _part("server_loop").Server(self._listener, _answers(self._service), self._bounds, most)
        return self._server

    def __enter__(self) -> "Server":
        if self._thread is None:
            self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<flyweight server on {self.url}>"


def _listening(host: str, port: int) -> Any:
    """Open the listening socket.

    :raises RuntimeFailed: the port is in use, or this machine does not have the address.
    """
    try:
        return _part("server_sockets").listen(host, port)
    except OSError as error:
        step = "stop what listens there, or choose another port; 0 takes a free one"
        if error.errno != errno.EADDRINUSE:
            step = "choose an address of this machine, as 127.0.0.1, and a port that you may open"
        raise RuntimeFailed(f"can't listen on {host or 'all addresses'}, port {port}: {error.strerror or error}", step) from error


def _service(model: str | Path, *, load: bool) -> Service:
    """Make a service whose settings are those of a function, and load its model, unless each process is to load it.

    :raises ModelRefused: the file fails a check.
    :raises ModelUnavailable: it can't be read.
    """
    address = str(model) if "://" in str(model) else str(Path(model).resolve())
    deployment = settings.read(os.path.dirname(address))._replace(model=address)
    service = Service(deployment, logs.line({}))
    for warning in settings.misspelt():
        service.log({"level": "WARNING", "message": warning})
    if load:
        with model_files.named(str(model)):
            service.models.get(address)
    return service


def _answers(service: Service) -> Callable[..., Any]:
    """Bind the adapter of `handlers/server` to a service."""
    adapter = _part("server_request")
    return lambda message: adapter.encode(graphql_page.shown(message) or service.respond(adapter.decode, (message,)), message)


def _part(name: str) -> Any:
    """Import a module of `handlers/server`, whose modules import one another from their own folder."""
    folder = str(resources.folder("handlers") / "server")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
