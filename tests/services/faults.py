"""A proxy of HTTP that spoils some requests: tests say how, how often and which ones, while it runs."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

from tests.services.web import Handler, HttpServer, end, exchange

FAULTS = {
    "refused": "nothing listens",
    "reset": "the connection ends before the answer",
    "lost": "the server does what it is asked, and the connection ends before the answer",
    "silence": "no answer comes",
    "stall": "half of the body comes, then nothing",
    "drip": "the body comes a byte at a time",
    "truncate": "the connection ends after half of the body",
    "short": "half of the body, and a length that says so",
    "flip": "one bit of the body is changed",
    "etag": "the tag and the generation are changed",
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
    """Pass a request on to the server at a port, and return its answer."""
    headers = {**seen.headers, "host": f"127.0.0.1:{upstream}"}
    status, received, answer = exchange(upstream, seen.method, seen.path, body or None, headers)
    return status, {name: value for name, value in received.items() if name not in HOP_BY_HOP}, answer


@dataclass
class Rule:
    """What happens to requests: the next `times` (None: all) that `when` picks get a fault; "" is none."""

    fault: str = ""
    times: int | None = None
    when: Callable[[Seen], bool] = lambda seen: True
    over: Event = field(default_factory=Event)  # set when another rule replaces it: no request is held up any longer

    def hold(self, seconds: float = 60.0) -> bool:
        """Hold a request up.

        :returns: whether the rule is over.
        """
        return self.over.wait(seconds)


class FaultyProxy:
    """Passes HTTP on to one server at 127.0.0.1, and spoils it by a rule."""

    def __init__(self, upstream: int, forward: Forward | None = None) -> None:
        self.upstream = upstream
        self.forward = forward or passed_on
        self.seen: list[Seen] = []
        self._lock = Lock()
        self._rule = Rule()
        # keeps the port for this proxy while it does not listen: then connections are refused
        self._bound = socket.socket()
        self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._bound.bind(("127.0.0.1", 0))
        self.port: int = self._bound.getsockname()[1]
        self._server: HttpServer | None = None
        self._listen()

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: str, times: int | None = None, when: Callable[[Seen], bool] = lambda seen: True) -> None:
        """Spoil the next `times` requests (None: all) that `when` picks; "" spoils none.

        Requests that were sent before, also by clients that have given up, are answered first, by the rule of their time.
        """
        assert fault == "" or fault in FAULTS
        self._rule.over.set()
        if self._server is not None:
            self._server.drain()
        with self._lock:
            self._rule = Rule(fault, times, when)
            self.seen = []
        if fault == "refused":
            self._stop()
        elif self._server is None:
            self._listen()

    def close(self) -> None:
        """End the proxy, its connections and its threads."""
        self._rule.over.set()
        self._stop()
        self._bound.close()

    def rule_for(self, seen: Seen) -> tuple[str, Rule]:
        """Choose the fault of a request, "" for none, and get the rule that says so."""
        with self._lock:
            self.seen.append(seen)
            rule = self._rule
            if not rule.fault or rule.times == 0 or not rule.when(seen):
                return "", rule
            rule.times = None if rule.times is None else rule.times - 1
            return rule.fault, rule

    def _listen(self) -> None:
        self._server = HttpServer(type("Handler", (_Handler,), {"owner": self}), self.port)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close(reset=True)
            self._server = None


class _Handler(Handler):
    owner: FaultyProxy

    def do_GET(self) -> None:
        body = self.read_body()
        seen = Seen(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        fault, rule = self.owner.rule_for(seen)
        if fault in ("refused", "reset"):
            return self._end()
        if fault == "silence":
            rule.hold()
            return self._end()
        if fault.isdecimal():
            return self._answer(int(fault), {}, b"no", "", rule)
        status, headers, answer = self.owner.forward(self.owner.upstream, seen, body)
        if fault == "lost":
            return self._end()
        self._answer(status, headers, answer, fault, rule)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_PROPFIND = do_GET

    def _answer(self, status: int, headers: dict[str, str], body: bytes, fault: str, rule: Rule) -> None:
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
            return self._half_answer(body, fault, rule)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _half_answer(self, body: bytes, fault: str, rule: Rule) -> None:
        if fault == "drip":
            for position in range(len(body)):
                self.wfile.write(body[position : position + 1])
                self.wfile.flush()
                if rule.hold(0.02):
                    break
        else:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if fault == "stall":
                rule.hold()
        self._end()

    def _end(self) -> None:
        self.close_connection = True
        end(self.connection, reset=True)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:  # the client has gone
            pass
