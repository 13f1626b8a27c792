"""Every sample event is changed at every path: nothing raises, each good record is scored, each bad one is accounted for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flyweight.errors import NotServed
from flyweight.handler import bind
from flyweight.records import Outcome
from flyweight.records.scoring import score
from tests.targets.mutations import DEEP, DELETED, Sinks, changed, changes, sinks
from tests.targets.paths import on_path

func = pytest.importorskip("azure.functions")
EVENTS = Path(__file__).resolve().parents[3] / "events" / "azure"
KINDS = {"queue": "queue", "servicebus": "serviceBusTrigger", "eventhub": "eventHubTrigger", "eventgrid": "eventGridTrigger"}
BATCHES = ("servicebus", "servicebus.topic", "eventhub")

__all__ = ["sinks"]
folder = on_path("azure")


def sample(path: Path) -> Any:
    """Read an event as the documents that it holds: the bodies of its messages, and the host's facts about them."""
    event = json.loads(path.read_text())
    (sent,) = [entry["data"] for entry in event["inputData"]]
    if "collectionBytes" in sent:
        bodies = [json.loads(base64.b64decode(body)) for body in sent["collectionBytes"]["bytes"]]
    else:
        bodies = [json.loads(base64.b64decode(sent["bytes"]) if "bytes" in sent else sent.get("json") or sent["string"])]
    return {"bodies": bodies, "facts": {name: _plain(value) for name, value in event["triggerMetadata"].items()}}


def _plain(value: Any) -> Any:
    ((kind, inner),) = value.items()
    if kind == "json":
        return {"json": json.loads(inner)}
    return {kind: next(iter(inner.values())) if isinstance(inner, dict) else inner}


SAMPLES = {path.stem: sample(path) for path in sorted(EVENTS.glob("*.json")) if path.stem in ("queue", "eventgrid", *BATCHES)}


@pytest.fixture(scope="module")
def call(penguins: Path, sinks: Sinks, folder: None) -> Iterator[Callable[[str, Any], int]]:
    """Call the function of an event, by the SDK's own reading of what the host sends; get the number of messages in it."""
    import azure_files
    import azure_records
    import azure_request
    import azure_triggers

    made = {"queue": azure_records.queue, "servicebus": azure_records.service_bus, "eventhub": azure_records.event_hub}
    triggers = {kind: make("penguins") for kind, make in made.items()} | {"eventgrid": azure_records.event_grid()}
    azure_files.score_files = None  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("MODEL", penguins.name), ("RESULTS", "memory:results"), ("DEAD_LETTERS", "memory:letters")):
            patch.setenv(f"FLYWEIGHT_{name}", value)
        patch.setattr("flyweight.files.records.score_files", _scored)
        function = bind(
            azure_request.decode,
            azure_request.encode,
            folder=str(penguins.parent),
            logs={"": lambda: lambda entry: None},
            triggers=azure_triggers.find,
            sinks="memory_sinks",
        )

        def called(name: str, event: Any) -> int:
            kind = name.partition(".")[0]
            try:
                sent = _read(kind, event)
            except Exception:  # the host never sends this
                return 0
            function(sent, SimpleNamespace(invocation_id="i"), triggers[kind])
            return len(sent) if isinstance(sent, list) else 1

        yield called


def _scored(predictor: Any, records: Any, deadline: float) -> list[Outcome]:
    """Stand in for the scoring of files, which the tests of files run."""
    bodies = iter(score(predictor, [record for record in records if "address" not in record.origin]))
    return [
        Outcome(record, {"id": record.id}, record.fault, record.fault is not None) if "address" in record.origin else next(bodies)
        for record in records
    ]


def _read(kind: str, event: Any) -> Any:
    """Make the SDK's objects of an event."""
    from azure.functions.eventgrid import EventGridEventInConverter
    from azure.functions.eventhub import EventHubTriggerConverter
    from azure.functions.meta import Datum
    from azure.functions.queue import QueueMessageInConverter
    from azure.functions.servicebus import ServiceBusMessageInConverter

    facts = {name: _datum(*value.popitem()) for name, value in json.loads(json.dumps(event["facts"])).items()}
    bodies = [json.dumps(body) if not isinstance(body, str) else body for body in event["bodies"]]
    if kind == "eventgrid":
        return EventGridEventInConverter.decode(Datum(bodies[0], "json"), trigger_metadata=facts)
    raw = [body.encode("utf-8", "replace") for body in bodies]
    if kind == "queue":
        return QueueMessageInConverter.decode(Datum(raw[0], "bytes"), trigger_metadata=facts)
    converter = ServiceBusMessageInConverter if kind == "servicebus" else EventHubTriggerConverter
    return converter.decode(Datum(SimpleNamespace(bytes=raw), "collection_bytes"), trigger_metadata=facts)


def _datum(kind: str, value: Any) -> Any:
    from azure.functions.meta import Datum

    if kind.startswith("collection"):
        item = kind.removeprefix("collection").lower()
        return Datum(SimpleNamespace(**{item: value}), f"collection_{item}")
    return Datum(json.dumps(value) if kind == "json" else value, kind)


def shown(value: Any) -> str:
    return "deep" if value is DEEP else "deleted" if value is DELETED else f"{value!r:.60}"


def test_the_samples_are_scored(call: Callable[[str, Any], int], sinks: Sinks) -> None:
    assert {*SAMPLES} == {"queue", "eventgrid", *BATCHES}
    for name, event in SAMPLES.items():
        assert call(name, event), name
        scored, rejected = sinks.take()
        assert (len(scored), rejected) == (len(event["bodies"]), []), name


def test_no_change_of_an_event_raises_and_no_message_is_done_without_a_trace(
    call: Callable[[str, Any], int], sinks: Sinks
) -> None:
    found, read = [], 0
    for name, path, value in changes(SAMPLES):
        if len(path) < 2 or (path[0] == "bodies" and value is DELETED and len(path) == 2):
            continue
        event = changed(SAMPLES[name], path, value)
        what = f"{name} {path} {shown(value)}"
        try:
            messages = call(name, event)
        except NotServed:  # the sender keeps the event
            assert name == "eventgrid", what
            continue
        except Exception as error:
            found.append(f"{what}: raises {error!r}")
            continue
        read += messages
        scored, rejected = sinks.take()
        if len(scored) + len(rejected) != messages:
            found.append(f"{what}: scored {scored}, rejected {rejected}")
        if path[:1] == ("bodies",) and name in BATCHES and messages == 2 and not scored:
            found.append(f"{what}: the other message was not scored")
    assert not found, f"{len(found)} changes: " + "\n".join(found[:30])
    assert read > 500


@pytest.mark.parametrize("body", [b"", b"x", b"\xff", b"[" * 50_000, b"{}", b"null", b'[{"specversion": 1}]'])
def test_a_message_that_holds_anything_else_is_rejected_alone(
    body: bytes, call: Callable[[str, Any], int], sinks: Sinks, folder: None
) -> None:
    import azure_records

    good = json.dumps(SAMPLES["servicebus"]["bodies"][0]).encode()
    messages = [_message(f"m{number}", sent) for number, sent in enumerate((good, body, good))]
    records = azure_records.service_bus("q").records(messages, None, None)
    assert [record.id for record in records] == ["m0", "m1", "m2"]


def test_a_message_whose_every_field_raises_is_one_record_with_its_fault(folder: None) -> None:
    import azure_records

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ValueError(name)

    good = _message("m", b"[[1]]")
    for make in (azure_records.service_bus, azure_records.event_hub):
        faults = [record.fault is None for record in make("q").records([good, Broken()], None, None)]
        assert faults == [True, False]


def _message(identity: str, body: bytes) -> Any:
    unset = dict.fromkeys(["enqueued_time_utc", "delivery_count", "session_id", "subject", "sequence_number", "content_type"])
    hub = dict.fromkeys(["metadata", "enqueued_time", "partition_key"])
    return SimpleNamespace(message_id=identity, get_body=lambda: body, **unset, **hub)
