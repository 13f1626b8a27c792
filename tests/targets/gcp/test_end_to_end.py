"""Messages from Google's Pub/Sub emulator to the built function, or to our own server, and on to topics: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.running import runtime
from tests.services.pubsub import PubSub
from tests.services.web import wait_until

NAMES = ("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year")
GOOD = json.dumps(dict(zip(NAMES, ("Biscoe", 46.1, 13.2, 211, 4500, "female", 2007), strict=True))).encode()
BAD = [b'{"year": "x"}', b"{", b"\xff", b'{"island": 1}']
HEALTH = {"method": "GET", "path": "/health"}


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSub]:
    emulator = PubSub(tmp_path_factory.mktemp("pubsub"))
    yield emulator
    emulator.close()


class Cloud:
    """A topic `NAME-in` that pushes to the function, whose results and dead letters go to topics of their own."""

    def __init__(self, pubsub: PubSub, target: str, folder: Path, name: str) -> None:
        self.pubsub, self.target, self.folder, self.name = pubsub, target, folder, name
        self.landed: dict[str, list[dict[str, Any]]] = {"out": [], "bad": []}
        self.process = self.started()

    def started(self) -> Any:
        environ = {
            "FLYWEIGHT_EVENT_SENDERS": "iam",
            "FLYWEIGHT_RESULTS": f"pubsub://example/{self.name}-out",
            "FLYWEIGHT_DEAD_LETTERS": f"pubsub://example/{self.name}-bad",
            "PUBSUB_EMULATOR_HOST": self.pubsub.host,
        }
        process = runtime(self.target)(self.folder, environ=environ)
        assert process.invoke(HEALTH).status == 200
        return process

    def restart(self) -> None:
        """Start the function again, at an address that its subscription is told."""
        self.process = self.started()
        self.pubsub.ask("POST", f"subscriptions/{self.name}-push:modifyPushConfig", {"pushConfig": self.push})

    @property
    def push(self) -> dict[str, Any]:
        return {"pushEndpoint": f"http://127.0.0.1:{self.process.port}/"}

    def sinks(self) -> None:
        for sink in self.landed:
            self.pubsub.topic(f"{self.name}-{sink}", **{f"{self.name}-{sink}-pull": {}})

    def source(self) -> None:
        options = {"pushConfig": self.push}
        self.pubsub.topic(f"{self.name}-in", **{f"{self.name}-push": options})

    def send(self, bodies: list[bytes]) -> list[str]:
        return self.pubsub.publish(f"{self.name}-in", bodies)

    def wait(self, count: int) -> None:
        """Wait until this many records have landed in a sink."""

        def landed() -> bool:
            for sink, documents in self.landed.items():
                documents += self.pubsub.pull(f"{self.name}-{sink}-pull")
            return len(self.ids("out") | self.ids("bad")) >= count

        wait_until(landed, f"{count} records have landed", pause=0.05)

    def ids(self, sink: str) -> set[str]:
        return {document["id"] for document in self.landed[sink]}

    def failed(self) -> int:
        """The number of calls whose record failed."""
        return self.process.log().replace(" ", "").count('"failed":1')


@pytest.fixture(params=["gcp", "cloudrun"])
def cloud(pubsub: PubSub, built: Callable[[str], Path], request: pytest.FixtureRequest) -> Iterator[Cloud]:
    made = Cloud(pubsub, request.param, built(request.param), f"t{abs(hash(request.node.name))}")
    try:
        yield made
    finally:
        made.process.close()


def test_messages_are_scored_and_bad_ones_are_dead_letters_with_their_reason(cloud: Cloud) -> None:
    cloud.sinks()
    cloud.source()
    good, bad = cloud.send([GOOD] * 20), cloud.send(BAD)
    cloud.wait(len(good) + len(bad))
    assert (cloud.ids("out"), cloud.ids("bad")) == ({*good}, {*bad})
    assert {document["predictions"][0] for document in cloud.landed["out"]} == {"Gentoo"}
    kinds = {document["id"]: document["problem"]["type"].rpartition(":")[2] for document in cloud.landed["bad"]}
    assert [kinds[name] for name in bad] == ["invalid_input", "malformed_request", "malformed_request", "invalid_input"]
    assert all(document["origin"]["source"].endswith("-push") for document in cloud.landed["bad"])


def test_a_record_is_delivered_again_until_the_sink_takes_it(cloud: Cloud) -> None:
    cloud.source()
    sent = cloud.send([GOOD, BAD[0], GOOD])  # there are no topics for results and dead letters yet
    wait_until(lambda: cloud.failed() > len(sent), "a message was delivered again", pause=0.05)
    cloud.process.close()  # a document that comes after a topic and before its subscription would reach nobody
    cloud.sinks()
    cloud.restart()
    cloud.wait(len(sent))
    assert (cloud.ids("out"), cloud.ids("bad")) == ({sent[0], sent[2]}, {sent[1]})


def test_messages_wait_for_a_function_that_is_gone_and_keep_their_key(cloud: Cloud) -> None:
    cloud.sinks()
    cloud.process.close()
    cloud.source()
    sent = cloud.send([GOOD] * 5)
    cloud.restart()
    cloud.wait(len(sent))
    assert cloud.ids("out") == {*sent}
    keys = {(document["id"], document["key"]) for document in cloud.landed["out"]}
    assert len(keys) == len({key for _, key in keys}) == len(sent)  # a record that came again has the same key
