"""Every sample event is changed at every path: a bad record fails alone, each good one is scored once, no request raises.

MUTATIONS=all tries all changes; otherwise each run tries an even share of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.handler import bind
from flyweight.records import Outcome
from flyweight.records.scoring import score
from tests.targets.aws.events import CONTEXT, EVENTS, folder, sample
from tests.targets.mutations import DEEP, DELETED, SHARE, Path_, Sinks, changed, changes, paths, sinks
from tests.targets.mutations import VALUES as COMMON

__all__ = ["folder", "sinks"]

HTTP = sorted(path.stem for path in EVENTS.glob("predict*.json") if path.stem != "predict.direct")
BATCHES = sorted(path.stem for path in EVENTS.glob("*.json") if not path.stem.startswith(("predict", "health")))
VALUES = [*COMMON, "aws:odd", ["aws:s3"], {"Records": [{"eventSource": "aws:s3"}]}]
# places of the items of a batch: a change below one of them is a change of that item alone
ITEMS = ("Records", "records", "messages", "rmqMessagesByQueue", "tasks", "Items")


@pytest.fixture(scope="module")
def handler(penguins: Path, sinks: Sinks, folder: None) -> Callable[[Any], Any]:
    """The function as it is deployed, with sinks in memory, and with files that are scored at once."""
    import aws_event
    import aws_files
    import aws_triggers

    def scored(predictor: Any, records: Any, *rest: Any) -> list[Outcome]:
        bodies = iter(score(predictor, [record for record in records if "address" not in record.origin]))
        return [
            Outcome(record, {"id": record.id, "output": "s3://out"}, record.fault, record.fault is not None)
            if "address" in record.origin
            else next(bodies)
            for record in records
        ]

    aws_files.score_files, aws_files._newest = scored, lambda record: record
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("MODEL", penguins.name), ("RESULTS", "memory:results"), ("DEAD_LETTERS", "memory:letters")):
            patch.setenv(f"FLYWEIGHT_{name}", value)
        logs = {"": lambda: lambda entry: None}
        function = bind(
            aws_event.decode,
            aws_event.encode,
            folder=str(penguins.parent),
            logs=logs,
            triggers=aws_triggers.find,
            sinks="memory_sinks",
        )
    return lambda event: function(event, CONTEXT)


def kept(sinks: Sinks) -> tuple[Counter[str], int]:
    """Take what the sinks got since the last call: the ids of scored records, and how many there are of all."""
    scored, rejected = sinks.take()
    return Counter(scored), len(scored) + len(rejected)


def item_of(path: Path_) -> Path_ | None:
    """Find the path of the item that a path is in; None for a path outside of the items."""
    if path[0] not in ITEMS and not isinstance(path[0], int):
        return None
    depth = next((depth for depth, key in enumerate(path) if isinstance(key, int)), None)
    return None if depth is None else path[: depth + 1]


def passed_over(item: Any) -> bool:
    """Tell whether an item holds nothing to score, as docs/triggers.md says."""
    if not isinstance(item, dict):
        return False
    if isinstance(item.get("body"), str) and '"s3:TestEvent"' in item["body"]:
        return True
    if "recordId" in item:
        return item.get("data") in (None, "")
    if "offset" in item:
        return item.get("value") is None
    change = item.get("dynamodb")
    if isinstance(change, dict) and "NewImage" not in change:
        return item.get("eventName") == "REMOVE" or change.get("StreamViewType") in ("KEYS_ONLY", "OLD_IMAGE")
    return False


def at(event: Any, path: Path_) -> Any:
    """Get the value at a path; None if there is none."""
    for key in path:
        try:
            event = event[key]
        except (IndexError, KeyError, TypeError):
            return None
    return event


def faults(
    event: Any, sound: Any, whole: tuple[Counter[str], int], path: Path_, handler: Callable[[Any], Any], sinks: Sinks
) -> Iterator[str]:
    """List what is wrong with the outcome of a changed event.

    :param sound: the event before the change at `path`.
    :param whole: what the sinks got of it.
    """
    before, before_count = whole
    item = item_of(path)
    try:
        json.dumps(handler(event), allow_nan=False)
    except Exception as error:
        if type(error).__name__ != "UnsupportedEvent" or item is not None:
            yield f"raises {error!r}"
        return
    finally:
        ids, count = kept(sinks)
    if item is None:
        return
    if (before - ids).total() > 1:
        yield f"lost {before - ids}"
    if max(ids.values(), default=1) > 1:
        yield f"scored twice {ids}"
    gone = at(event, item[:-1]) != at(sound, item[:-1]) and len(at(event, item[:-1])) < len(at(sound, item[:-1]))
    expected = before_count - (not passed_over(at(sound, item))) + (not (gone or passed_over(at(event, item))))
    if count != expected:
        yield f"expected {expected} documents, got {count}"


def test_a_change_of_one_item_leaves_the_others_as_they_were(handler: Callable[[Any], Any], sinks: Sinks) -> None:
    """Each other item is scored or rejected as before, the changed one is scored or rejected, and nothing is raised."""
    found, whole = [], {}
    for name in BATCHES:
        handler(sample(name))
        whole[name] = kept(sinks)
    for name, path, value in changes({name: sample(name) for name in BATCHES}, VALUES, in_texts=True):
        sound = sample(name)
        event = changed(sound, path, value)
        shown = "deep" if value is DEEP else "deleted" if value is DELETED else f"{value!r:.60}"
        found += [f"{name} {path} {shown}: {fault}" for fault in faults(event, sound, whole[name], path, handler, sinks)]
    assert not found, f"{len(found)} changes: " + "\n".join(found[:40])


@st.composite
def spoiled(draw: st.DrawFn, names: list[str]) -> Any:
    """A sample with some changes at once."""
    event = sample(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 4))):
        places = [*paths(event, in_texts=True)]
        if places:
            event = changed(event, draw(st.sampled_from(places)), draw(st.sampled_from(VALUES)))
    return event


@given(event=spoiled(BATCHES + HTTP))
@settings(max_examples=200 if SHARE else 20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_changes_at_several_places_raise_nothing_but_a_refusal_by_name(event: Any, handler: Callable[[Any], Any]) -> None:
    try:
        json.dumps(handler(event), allow_nan=False)
    except Exception as error:
        assert type(error).__name__ == "UnsupportedEvent", repr(error)


def test_no_request_raises(handler: Callable[[Any], Any], sinks: Sinks) -> None:
    for name, path, value in changes({name: sample(name) for name in HTTP}, VALUES, in_texts=True):
        answer = handler(changed(sample(name), path, value))
        json.dumps(answer, allow_nan=False, ensure_ascii=False).encode()
        assert answer.get("statusCode", answer.get("status", 200)) < 500, (name, path, answer)


def test_a_change_at_the_top_of_a_batch_never_loses_a_readable_one(handler: Callable[[Any], Any], sinks: Sinks) -> None:
    """Without its source an event is known by its form."""
    for name in ("sqs", "sns", "kinesis", "dynamodb", "kafka", "kafka.self_managed", "firehose", "eventbridge", "destination"):
        event = sample(name)
        handler(event)
        before = kept(sinks)
        for key in ("eventSource", "deliveryStreamArn", "detail-type", "requestPayload", "region", "eventSourceArn"):
            if key in event:
                handler(changed(event, (key,), DELETED))
                assert kept(sinks) == before, f"{name} without {key}"
