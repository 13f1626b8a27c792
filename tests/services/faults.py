"""A proxy of HTTP that spoils what passes: the tests say how, how often and for which requests, while it runs."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

FAULTS = {
    "refused": "nobody listens",
    "reset": "the connection ends before the answer",
    "lost": "the server does what it is asked, and the connection ends before the answer",
    "silence": "no answer comes",
    "stall": "half of the body comes, then nothing",
    "drip": "the body comes a byte at a time",
    "truncate": "the connection ends after half of the body",
    "short": "half of the body, and a length that says so",
    "flip": "one bit of the body is another",
    "etag": "the tag and the generation are others",
    "403": "forbidden",
    "404": "not found",
    "429": "too many requests",
    "500": "the server fails",
    "503": "the server is busy",
}
HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "server", "date"}


@dataclass
class Seen:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]


Answer = tuple[int, dict[str, str], bytes]
Forward = Callable[[int, Seen, bytes], Answer]


def passed_on(upstream: int, seen: Seen, body: bytes) -> Answer:
    """What the server at a port answers."""
    connection = HTTPConnection("127.0.0.1", upstream, timeout=30)
    try:
        connection.request(seen.method, seen.path, body or None, {**seen.headers, "host": f"127.0.0.1:{upstream}"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP}
        return answer.status, headers, answer.read()
    finally:
        connection.close()


class FaultyProxy:
    """Passes HTTP on to one server at 127.0.0.1, and spoils it as it is told."""

    def __init__(self, upstream: int, forward: Forward | None = None) -> None:
        self.upstream = upstream
        self.forward = forward or passed_on
        self.seen: list[Seen] = []
        self._lock = Lock()
        self._released = Event()  # set: whoever is held up may go
        self._clients: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self._listen()
        self.fail("")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, times: int | None = None, when: Callable[[Seen], bool] = lambda seen: True) -> None:
        """From now on spoil the next `times` requests (None: all) that `when` picks; "" spoils none."""
        assert fault == "" or fault in FAULTS
        self._released.set()
        self._released = Event()
        with self._lock:
            self._fault, self._times, self._when = fault, times, when
            self.seen = []
        if fault == "refused":
            self._stop()
        elif self._server is None:
            self._listen()

    def close(self) -> None:
        """End it, with all that is held up."""
        self._released.set()
        self._stop()

    def next_fault(self, seen: Seen) -> str:
        """What to do to this request."""
        with self._lock:
            self.seen.append(seen)
            if not self._fault or self._times == 0 or not self._when(seen):
                return ""
            self._times = None if self._times is None else self._times - 1
            return self._fault

    def hold(self, seconds: float = 60.0) -> bool:
        """Wait; True: go on with it no longer."""
        return self._released.wait(seconds)

    def _listen(self) -> None:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that has gone is what the faults are made for."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for client in list(self._clients):
            _reset(client)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyProxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.owner._clients.add(self.connection)

    def finish(self) -> None:
        self.owner._clients.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def log_message(self, *args: Any) -> None:
        """Nothing: the tests look at `seen`."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        fault = self.owner.next_fault(seen)
        if fault in ("refused", "reset"):
            return self._end()
        if fault == "silence":
            self.owner.hold()
            return self._end()
        if fault.isdecimal():
            return self._answer(int(fault), {}, b"no", "")
        status, headers, answer = self.owner.forward(self.owner.upstream, seen, body)
        if fault == "lost":
            return self._end()
        self._answer(status, headers, answer, fault)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_PROPFIND = do_GET

    def _answer(self, status: int, headers: dict[str, str], body: bytes, fault: str) -> None:
        half = len(body) // 2
        if fault == "flip" and body:
            body = body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :]
        if fault == "short":
            body = body[:half]
        self.send_response_only(status)
        for name, value in headers.items():
            if fault == "etag" and name in ("etag", "x-goog-generation"):
                value = '"wrong"' if name == "etag" else "1"
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("content-length", headers.get("content-length", "0") if self.command == "HEAD" else str(len(body)))
        self.end_headers()
        if fault in ("stall", "truncate", "drip") and body:
            return self._half_answer(body, fault)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _half_answer(self, body: bytes, fault: str) -> None:
        if fault == "drip":
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()
                if self.owner.hold(0.02):
                    break
        else:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if fault == "stall":
                self.owner.hold()
        self._end()

    def _end(self) -> None:
        self.close_connection = True
        _reset(self.connection)


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
