"""Messages from Azurite's queues to the built function, as the host delivers them: poison, redelivery, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.targets.azure.runtime import Runtime
from tests.services.queues import Host, Queues

SETTINGS = {
    "FLYWEIGHT_TRIGGERS": "queue:records",
    "FLYWEIGHT_RESULTS": "queue:results",
    "FLYWEIGHT_DEAD_LETTERS": "queue:rejects",
}
NAMES = ("island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year")
GOOD = json.dumps(dict(zip(NAMES, ("Biscoe", 46.1, 13.2, 211, 4500, "female", 2007), strict=True))).encode()
BAD = [b'{"year": "x"}', b"{", b"\xff"]


@pytest.fixture
def queues() -> Iterator[Queues]:
    server = Queues()
    try:
        server.make("records", "records-poison", "results", "rejects")
        yield server
    finally:
        server.close()


def hosted(queues: Queues, folder: Path, **environ: str) -> Host:
    process = Runtime(folder, environ={**SETTINGS, **environ})
    return Host(queues, "records", "queue_records", process, {"results": "results", "dead_letters": "rejects"})


@pytest.fixture
def host(queues: Queues, built: Callable[[str], Path]) -> Iterator[Host]:
    made = hosted(queues, built("azure"))
    yield made
    made.process.close()


def read(queues: Queues, queue: str) -> list[Any]:
    """Take all documents out of a queue."""
    documents = []
    while received := queues.receive(queue):
        for message in received:
            documents.append(json.loads(message.body))
            queues.delete(queue, message)
    return documents


def drain(host: Host) -> None:
    while host.poll():
        pass


def test_messages_are_scored_and_bad_ones_are_dead_letters_at_once(host: Host, queues: Queues) -> None:
    good = {queues.send("records", GOOD) for _ in range(20)}
    bad = [queues.send("records", body) for body in BAD]
    drain(host)
    results, letters = read(queues, "results"), read(queues, "rejects")
    assert {result["id"] for result in results} == good and len(results) == len(good)
    assert {result["predictions"][0] for result in results} == {"Gentoo"}
    kinds = {letter["id"]: letter["problem"]["type"].rpartition(":")[2] for letter in letters}
    assert kinds == dict(zip(bad, ("invalid_input", "malformed_request", "malformed_request"), strict=True))
    assert {letter["origin"]["received"] for letter in letters} == {1}
    assert not read(queues, "records-poison")


def test_a_failing_message_comes_five_times_and_then_is_poison(queues: Queues, built: Callable[[str], Path]) -> None:
    host = hosted(queues, built("azure"), FLYWEIGHT_MODEL="/nowhere/model.safetensors")
    try:
        queues.send("records", GOOD)
        deliveries = 0
        while host.poll():
            deliveries += 1
    finally:
        host.process.close()
    assert deliveries == Host.MOST
    assert read(queues, "records-poison") == [json.loads(GOOD)]
    assert not read(queues, "results") and not read(queues, "rejects")


def test_a_message_is_scored_when_the_model_is_there_again(host: Host, queues: Queues, built: Callable[[str], Path]) -> None:
    sent = queues.send("records", GOOD)
    away = hosted(queues, built("azure"), FLYWEIGHT_MODEL="/nowhere/model.safetensors")
    assert away.poll() == 1
    away.process.close()
    drain(host)
    (result,) = read(queues, "results")
    assert (result["id"], result["origin"]["received"]) == (sent, 2)


def test_a_host_that_ends_between_results_and_acknowledgement_repeats_them_under_the_same_key(host: Host, queues: Queues) -> None:
    queues.send("records", GOOD)
    (message,) = queues.receive("records")
    host.write(json.loads(host.process.invoke(host.event(message)).body)["outputs"])
    queues.release("records", message)  # what it was about to delete
    drain(host)
    first, second = read(queues, "results")
    assert first["key"] == second["key"]
