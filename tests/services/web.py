"""HTTP servers in a thread, whose connections and threads end with them, and functions to wait and to send requests."""

from __future__ import annotations

import contextlib
import io
import secrets
import select
import socket
import ssl
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread, current_thread
from time import monotonic, sleep
from typing import Any, Self
from urllib.parse import unquote

GENEROUS = 120.0  # seconds: a machine with other work is no fault
PORTS = range(20_000, 32_000)  # below the ports that systems choose for connections and for port 0


def wait_until(condition: Callable[[], Any], what: str, seconds: float = GENEROUS, pause: float = 0.005) -> None:
    """Wait until a condition is true.

    :param what: the condition in words, for the error.
    :raises AssertionError: it did not become true in time.
    """
    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"not within {seconds:g} s: {what}"
        sleep(pause)


def free_port() -> int:
    """Choose a port of this machine for a process that is started next; the system gives it to no other process meanwhile."""
    while True:
        port = PORTS[secrets.randbelow(len(PORTS))]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def exchange(
    port: int, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one request to a port of this machine over a connection of its own.

    :returns: the status, the headers with names in lower case, and the body of the answer.
    """
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=GENEROUS)) as connection:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


@dataclass
class _Connection:
    """The state of an open connection."""

    busy: bool = False  # whether a request is being answered
    answered: int = 0


class HttpServer(ThreadingHTTPServer):
    """An HTTP server on a port of this machine, which listens until `close`; it is a context manager."""

    daemon_threads = True  # so that one that hangs does not keep the process; `close` joins all of them
    allow_reuse_port = True  # with `FaultyProxy`, which keeps its port while nothing listens there

    def __init__(self, handler: Callable[..., Handler], port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self._lock = Lock()
        self._connections: dict[socket.socket, _Connection] = {}
        self._workers: set[Thread] = set()
        super().__init__(("127.0.0.1", port), handler)
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.server_port}"

    def close(self, reset: bool = False) -> None:
        """Stop listening, end all connections, and wait for all threads.

        :param reset: end connections abruptly, so that clients see a reset.
        """
        self.shutdown()
        self._thread.join(GENEROUS)
        self.server_close()
        with self._lock:
            connections, workers = [*self._connections], [*self._workers]
        for connection in connections:
            end(connection, reset)
        for worker in workers:
            worker.join(GENEROUS)
        hanging = [thread for thread in (self._thread, *workers) if thread.is_alive()]
        assert not hanging, f"these threads of a server do not end:\n{_stacks(hanging)}"

    def drain(self) -> None:
        """Wait until all requests that were sent so far are answered."""
        wait_until(lambda: not _is_readable(self.socket, 0.0), "all that have connected are accepted")
        with self._lock:
            pending = {
                connection: state.answered
                for connection, state in self._connections.items()
                if state.busy or _is_readable(connection, 0.0)
            }

        def answered() -> bool:
            with self._lock:
                left = [(self._connections.get(connection), count) for connection, count in pending.items()]
            return all(state is None or state.answered > count for state, count in left)

        wait_until(answered, "all requests are answered", pause=0.001)

    def begin(self, connection: socket.socket) -> None:
        """Note that a request has come, before it is read."""
        with self._lock:
            self._connections[connection].busy = True

    def finish(self, connection: socket.socket) -> None:
        """Note that a request was answered."""
        with self._lock:
            state = self._connections[connection]
            state.busy, state.answered = False, state.answered + 1

    def get_request(self) -> tuple[Any, Any]:
        with self._lock:  # at no time is a connection neither waiting to be accepted nor known
            connection, address = super().get_request()
            if self.tls is not None:  # the handshake comes with the first read, in the connection's own thread
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self._connections[connection] = _Connection()
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        worker = Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._workers.add(worker)
        worker.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._workers.discard(current_thread())

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about a connection that its client has ended; report anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()


class Handler(BaseHTTPRequestHandler):
    """A handler of requests to an `HttpServer`; connections are kept open, and nothing is logged."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        _is_readable(self.connection, None)
        self.server.begin(self.connection)
        try:
            super().handle_one_request()
        finally:
            self.server.finish(self.connection)

    def read_body(self) -> bytes:
        """Read the body of the request.

        :raises ConnectionError: the client has gone before it sent all of it.
        """
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError(f"{len(body)} of {length} bytes came")
        return body

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send an answer with its length."""
        self.send_response_only(status)
        for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def end(connection: socket.socket, reset: bool = False) -> None:
    """End a connection whose thread may be reading or writing; the thread then closes it."""
    with contextlib.suppress(OSError):  # it has ended already
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


def _is_readable(connection: socket.socket, seconds: float | None) -> bool:
    """Wait until a socket has something to read, be it its end; None: for as long as that takes."""
    look = select.poll()
    look.register(connection, select.POLLIN)
    return bool(look.poll(None if seconds is None else 1000 * seconds))


def _stacks(threads: list[Thread]) -> str:
    """Describe what threads are doing."""
    frames = sys._current_frames()
    return "\n".join("".join(traceback.format_stack(frames[thread.ident])) for thread in threads if thread.ident in frames)


@contextlib.contextmanager
def wsgi_server(application: Any) -> Iterator[int]:
    """Serve a WSGI application while the block runs; the value is its port."""

    class Carrier(Handler):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
            environ |= {"REQUEST_METHOD": self.command, "PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query}
            environ |= {"CONTENT_TYPE": self.headers.get("content-type", ""), "wsgi.input": io.BytesIO(self.read_body())}
            environ |= {"CONTENT_LENGTH": self.headers.get("content-length", ""), "wsgi.input_terminated": True}
            begun: list[Any] = []
            body = b"".join(application(environ, lambda status, headers: begun.extend((int(status[:3]), dict(headers)))))
            self.reply(begun[0], body, begun[1])

        do_GET = do_POST = do_HEAD = do_OPTIONS = answer

    with HttpServer(Carrier) as server:
        yield server.server_port
