"""A server of ASGI in this process that checks each message of an application against the specification.

https://asgi.readthedocs.io/en/latest/specs/www.html and https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from typing import Any

VERSION = {"version": "3.0", "spec_version": "2.5"}


class Conversation:
    """The messages of one scope: what the application receives, and what it may send next."""

    def __init__(self, received: Iterable[dict[str, Any]]) -> None:
        self._received = iter(received)
        self._gone, self._done = False, asyncio.Event()
        self.state = "start"
        self.status, self.headers, self.parts = 0, [], []  # type: ignore[var-annotated]

    async def receive(self) -> MutableMapping[str, Any]:
        assert not self._gone, "it receives after the caller has gone"
        if (message := next(self._received, None)) is None:
            await self._done.wait()
            message = {"type": "http.disconnect"}
        self._gone = message["type"] == "http.disconnect"
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        expected = {"start": "http.response.start", "body": "http.response.body"}
        assert message["type"] == expected.get(self.state), f"{message['type']} in the state {self.state}"
        if self.state == "start":
            self.status, self.headers, self.state = message["status"], [*message["headers"]], "body"
            assert type(self.status) is int and 100 <= self.status <= 599
            for name, value in self.headers:
                assert type(name) is bytes and type(value) is bytes and name == name.lower() and name.strip() == name
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        assert type(body) is bytes and type(more) is bool
        self.parts.append(body)
        if not more:
            self.state = "done"
            self._done.set()


def ask(
    application: Any,
    method: str,
    path: str,
    headers: Iterable[tuple[str, str]] = (),
    parts: Iterable[bytes] = (b"",),
    *,
    query: bytes = b"",
    root_path: str = "",
    gone: bool = False,
) -> Conversation:
    """Ask an application, and check the order and the types of what it sends.

    :param path: the whole path, `root_path` included.
    :param parts: of the body; several stand for a body in chunks.
    :param gone: whether the caller goes before the body is whole; the application then may send nothing.
    """
    pieces = [*parts]
    messages = [
        {"type": "http.request", "body": piece, "more_body": gone or place + 1 < len(pieces)}
        for place, piece in enumerate(pieces)
    ]
    talk = Conversation([*messages, {"type": "http.disconnect"}] if gone else messages)
    scope = {"type": "http", "asgi": VERSION, "http_version": "1.1", "method": method, "scheme": "http", "path": path}
    scope |= {"raw_path": path.encode(), "query_string": query, "root_path": root_path, "server": ("127.0.0.1", 80)}
    scope["headers"] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    scope |= {"client": ("127.0.0.1", 5000), "extensions": {}}
    asyncio.run(application(scope, talk.receive, talk.send))
    assert talk.state == ("start" if gone else "done"), f"it returned in the state {talk.state}"
    return talk


def live(application: Any) -> list[str]:
    """Start an application and end it, as the protocol of lifespans has it; return the types of what it sent."""
    sent: list[str] = []
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> dict[str, Any]:
        return next(received)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(application({"type": "lifespan", "asgi": VERSION, "state": {}}, receive, send))
    return sent
