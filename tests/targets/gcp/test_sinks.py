"""What Pub/Sub's sink asks for, and how it tells what was not taken; the emulator is asked in test_gcp_end_to_end.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

DOCUMENTS: list[tuple[str, dict[str, Any]]] = [(f"k{n}", {"key": f"k{n}", "origin": {}}) for n in range(3)]


@pytest.fixture
def sinks(load: Callable[[str, str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    return load("gcp", "gcp_sinks")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A metadata server that refuses, and how often it was asked."""
    asked: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(1)
            self.send_error(404)

        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()


def test_without_a_credential_nothing_is_taken_and_that_is_told(sinks: ModuleType, metadata: list[int]) -> None:
    left = sinks.open_sink("pubsub://p/t").send(DOCUMENTS)
    assert left == dict.fromkeys([key for key, _ in DOCUMENTS], "pubsub://p/t: no credential, the metadata server answers 404")
    assert metadata == [1]


def test_elsewhere_than_at_google_the_metadata_server_is_told_to_be_away(
    sinks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    why = {*sinks.open_sink("pubsub://p/t").send(DOCUMENTS).values()}
    assert why == {"pubsub://p/t: no credential, the metadata server was not reached: ConnectionRefusedError"}


def test_a_topic_that_is_not_reached_is_named(sinks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    left = sinks.open_sink("pubsub://p/t").send(DOCUMENTS)
    assert {*left.values()} == {"pubsub://p/t was not reached: ConnectionRefusedError"} and len(left) == len(DOCUMENTS)


def test_a_call_has_so_many_messages_and_bytes_and_keeps_key_and_order(sinks: ModuleType) -> None:
    sizes = [1] * (sinks.AT_ONCE + 1) + [sinks.BYTES // 2, sinks.BYTES // 2, 1]
    documents = [(f"k{n}", {"text": "x" * size, "origin": {"ordering_key": "o"}}) for n, size in enumerate(sizes)]
    chunks = [*sinks._chunks(documents)]
    assert [key for chunk in chunks for key, _ in chunk] == [key for key, _ in documents]
    assert [len(chunk) for chunk in chunks] == [sinks.AT_ONCE, 2, 2]
    assert {(message["orderingKey"], message["attributes"]["key"]) for _, message in chunks[0]} >= {("o", "k0"), ("o", "k9")}
    assert all(len(json.dumps([message for _, message in chunk])) < 10_000_000 for chunk in chunks)


@pytest.mark.parametrize("address", ["pubsub://p", "pubsub://p/", "pubsub://p/t/u", "gs://", "pubsub:///t"])
def test_an_address_that_names_nothing_is_refused(sinks: ModuleType, address: str) -> None:
    with pytest.raises(ValueError, match="a sink is at pubsub://PROJECT/TOPIC"):
        sinks.open_sink(address)
