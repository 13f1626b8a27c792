"""A Runtime API for tests that records every byte: one thread, which asks a client event by event.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import PYTHON, ROOT

WRAPPER = ROOT / "handlers" / "aws" / "flyweight_wrapper"
PLATFORM, OWN = "platform", "own"
TIMEOUT = 30.0


@dataclass
class Request:
    """What a client sent; `headers`, and `trailers` after a body in chunks: names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str] = field(default_factory=dict)


@dataclass
class Ended:
    """What a client left: its exit status (None if it was waiting for an event), its streams, and the log's frames."""

    status: int | None
    stdout: bytes
    stderr: bytes
    frames: list[tuple[int, bytes]]


@dataclass
class _Connection:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)


def reply(body: bytes, status: int = 200, **headers: str | None) -> bytes:
    """An answer of the Runtime API; a header's underscores become hyphens, and one that is None is left out."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"HTTP/1.1 {status} Told", *lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def event(body: bytes | Any, number: int = 1, **headers: str | None) -> bytes:
    """An event as `next` answers it; `headers` replace the usual ones, by their last words."""
    usual: dict[str, str | None] = {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
        "Lambda-Runtime-Deadline-Ms": str(int(1000 * (time.time() + 60))),
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:local",
        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
    }
    full = {f"Lambda-Runtime-{name}" if name != "Content_Type" else name: value for name, value in headers.items()}
    merged = {**usual, **{name.replace("_", "-"): value for name, value in full.items()}}
    return reply(body if isinstance(body, bytes) else json.dumps(body).encode(), **merged)


@dataclass
class Session:
    """One client process with one folder, and the Runtime API that it asks."""

    client: str
    folder: Path
    handler: str = "app.handler"
    environ: Mapping[str, str] = field(default_factory=dict)
    framed: bool = False
    python: str = sys.executable
    wrapper: Path = WRAPPER
    timeout: float = TIMEOUT
    refusals: dict[str, bytes] = field(default_factory=dict)  # from the end of a path to the answer to a post

    def __post_init__(self) -> None:
        self.requests: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[_Connection] = []
        self._waiting: list[_Connection] = []
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self._frames = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command(), cwd=self.folder, env=self._variables(), stdin=subprocess.DEVNULL, stdout=self._out,
            stderr=self._err, pass_fds=[self._frames.fileno()] if self.framed else [], start_new_session=True,
        )  # fmt: skip

    def _command(self) -> list[str]:
        usual = [self.python, "-m", "awslambdaric", self.handler]
        return [str(self.wrapper), *usual] if self.client == OWN else usual

    def _variables(self) -> dict[str, str]:
        port = self._listener.getsockname()[1]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLYWEIGHT", "COV"))}
        own = {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "_HANDLER": self.handler,
            "LAMBDA_TASK_ROOT": str(self.folder),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{PYTHON}",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": "group",
            "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }
        framed = {"_LAMBDA_TELEMETRY_LOG_FD": str(self._frames.fileno())} if self.framed else {}
        return {**inherited, **own, **framed, **self.environ}

    def ask(self, answer: bytes) -> list[Request]:
        """Answer the pending `next`, and return what is posted until the client asks for another event or ends."""
        before = len(self.requests)
        self.give(answer)
        self.waits()
        return self.requests[before:]

    def give(self, answer: bytes) -> None:
        """Answer the pending `next`."""
        if not self.waits():
            raise AssertionError(f"the {self.client} client has ended: {self.end()}")
        self._waiting.pop(0).socket.sendall(answer)

    def waits(self) -> bool:
        """Serve until the client waits for an event; False if it has ended."""
        deadline = time.monotonic() + self.timeout
        while not self._waiting:
            ready, _, _ = select.select([self._listener, *[one.socket for one in self._connections]], [], [], 0.05)
            for one in ready:
                self._serve(one)
            if not ready and self._process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise AssertionError(f"the {self.client} client neither asks nor ends: {self.end()}")
        return True

    def drop(self, answer: bytes = b"") -> None:
        """Answer the pending `next` with these bytes, and end the connection."""
        connection = self._waiting.pop(0)
        connection.socket.sendall(answer)
        self._connections.remove(connection)
        connection.socket.close()

    def _serve(self, ready: socket.socket) -> None:
        if ready is self._listener:
            accepted, _ = self._listener.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(_Connection(accepted))
            return
        connection = next(one for one in self._connections if one.socket is ready)
        try:
            received = ready.recv(1 << 20)
        except ConnectionError:
            received = b""
        if not received:
            self._connections.remove(connection)
            ready.close()
            return
        connection.received += received
        while (request := _taken(connection)) is not None:
            self._take(connection, request)

    def _take(self, connection: _Connection, request: Request) -> None:
        if request.method == "GET" and request.path.endswith("/invocation/next"):
            self._waiting.append(connection)
            self.next_headers = request.headers
            return
        self.requests.append(request)
        told = b'{"status":"OK"}'
        usual = reply(told, 200 if request.method == "GET" else 202, Content_Type="application/json")
        found = [answer for end, answer in self.refusals.items() if request.path.endswith(end)]
        connection.socket.sendall(found[0] if found else usual)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def signal(self, number: int) -> None:
        """Send a signal to the client."""
        self._process.send_signal(number)

    def end(self) -> Ended:
        """Stop the client, and collect what it wrote."""
        status = self._process.poll()
        if status is None and not self._waiting:
            try:
                status = self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        for one in self._connections:
            one.socket.close()
        self._connections, self._waiting = [], []
        self._listener.close()
        streams = [_whole(file) for file in (self._out, self._err, self._frames)]
        return Ended(status, streams[0], streams[1], _parsed(streams[2]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()


def _taken(connection: _Connection) -> Request | None:
    """Take one whole request out of what a connection received."""
    end = connection.received.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = connection.received[:end].split(b"\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.decode().lower()] = value.strip().decode("utf-8", "surrogateescape")
    method, path, _ = first.decode().split(" ", 2)
    if headers.get("transfer-encoding") == "chunked":
        return _taken_in_chunks(connection, Request(method, path, headers, b""), end + 4)
    rest = connection.received[end + 4 :]
    length = int(headers.get("content-length", 0))
    if headers.pop("expect", "") and not rest:
        connection.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if len(rest) < length:
        return None
    connection.received = rest[length:]
    return Request(method, path, headers, bytes(rest[:length]))


def _taken_in_chunks(connection: _Connection, request: Request, place: int) -> Request | None:
    """Take a request whose body comes in chunks, and its trailers, once all of it is there."""
    if not connection.received.endswith(b"\r\n\r\n"):
        return None
    parts, received = [], connection.received
    while True:
        end = received.find(b"\r\n", place)
        length = int(received[place:end], 16) if end > 0 else -1
        if length < 0 or len(received) < end + 2 + length + 2:
            return None
        place = end + 2 + length + 2
        if length == 0:
            break
        parts.append(bytes(received[end + 2 : end + 2 + length]))
        assert received[place - 2 : place] == b"\r\n"
    for line in received[end + 2 :].split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            request.trailers[name.decode().lower()] = value.strip().decode()
    connection.received = bytearray()  # a client ends its connection after a stream
    request.body = b"".join(parts)
    return request


def _whole(file: Any) -> bytes:
    if file.closed:
        return b""
    file.seek(0)
    content: bytes = file.read()
    file.close()
    return content


def _parsed(data: bytes) -> list[tuple[int, bytes]]:
    """Split frames into types and messages."""
    frames = []
    while data:
        length = int.from_bytes(data[4:8], "big")
        frames.append((int.from_bytes(data[:4], "big"), data[16 : 16 + length]))
        data = data[16 + length :]
    return frames
