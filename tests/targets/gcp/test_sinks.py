"""The requests of Pub/Sub's sink, and the keys that it returns as not taken; test_end_to_end.py uses the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from tests.services.web import Handler, HttpServer

DOCUMENTS: list[tuple[str, dict[str, Any]]] = [(f"k{n}", {"key": f"k{n}", "origin": {}}) for n in range(3)]


@pytest.fixture
def sinks(load: Callable[[str, str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    return load("gcp", "gcp_sinks")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A metadata server that refuses, and the paths of the requests to it."""
    requests: list[str] = []

    class Metadata(Handler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.reply(404)

    with HttpServer(Metadata) as server:
        monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.server_port}")
        yield requests


def test_without_a_credential_nothing_is_taken_and_the_reason_is_given(sinks: ModuleType, metadata: list[str]) -> None:
    left = sinks.open_sink("pubsub://p/t").send(DOCUMENTS)
    assert left == dict.fromkeys([key for key, _ in DOCUMENTS], "pubsub://p/t: no credential, the metadata server answers 404")
    assert len(metadata) == 1


def test_outside_google_cloud_the_metadata_server_is_reported_as_unreachable(
    sinks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    why = {*sinks.open_sink("pubsub://p/t").send(DOCUMENTS).values()}
    assert why == {"pubsub://p/t: no credential, the metadata server was not reached: ConnectionRefusedError"}


def test_a_topic_that_is_not_reached_is_named(sinks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    left = sinks.open_sink("pubsub://p/t").send(DOCUMENTS)
    assert {*left.values()} == {"pubsub://p/t was not reached: ConnectionRefusedError"} and len(left) == len(DOCUMENTS)


def test_a_call_has_limited_messages_and_bytes_and_keeps_key_and_order(sinks: ModuleType) -> None:
    sizes = [1] * (sinks.AT_ONCE + 1) + [sinks.MAX_BYTES // 2, sinks.MAX_BYTES // 2, 1]
    documents = [(f"k{n}", {"text": "x" * size, "origin": {"ordering_key": "o"}}) for n, size in enumerate(sizes)]
    calls: list[list[dict[str, Any]]] = []
    topic = sinks.Topic("p", "t")
    topic._publish = lambda messages: calls.append(messages) or ""
    assert topic.send(documents) == {}
    assert [message["attributes"]["key"] for call in calls for message in call] == [key for key, _ in documents]
    assert [len(call) for call in calls] == [sinks.AT_ONCE, 2, 2]
    assert {message["orderingKey"] for message in calls[0]} == {"o"}
    assert all(len(json.dumps(call)) < 10_000_000 for call in calls)


@pytest.mark.parametrize("address", ["pubsub://p", "pubsub://p/", "pubsub://p/t/u", "gs://", "pubsub:///t"])
def test_an_address_that_names_nothing_is_refused(sinks: ModuleType, address: str) -> None:
    with pytest.raises(ValueError, match="a sink is at pubsub://PROJECT/TOPIC"):
        sinks.open_sink(address)
