"""The trigger of an event is found, for our samples and AWS's own; a request has no trigger; a reply is fit for JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.errors import ModelUnavailable
from tests.targets.aws.events import CONTEXT, EVENTS, ROOT, find, folder, read, reply, sample

__all__ = ["folder"]

AUTHENTIC = ROOT.parent / "shared" / "data" / "events" / "aws"
CASES = json.loads((ROOT / "events" / "cases.json").read_text())
# our sample -> AWS's own samples of that shape
SHAPES = {
    "sqs": ["sqsEvent"],
    "sqs.fifo": ["snsSqsFifoEvent"],
    "sqs.sns": ["snsSqsEvent"],
    "sns": ["snsEvent"],
    "kinesis": ["kinesisStreamEvent", "kinesisStreamEventOneRecord"],
    "dynamodb": ["dynamoStreamEvent"],
    "kafka": ["kafkaEventMsk"],
    "kafka.self_managed": ["kafkaEventSelfManaged"],
    "firehose": ["kinesisFirehosePutEvent", "kinesisFirehoseKinesisEvent"],
    "eventbridge": ["eventBridgeEvent"],
    "batch": ["s3BatchOperationEventSchemaV2"],
    "s3": ["s3Event"],
    "s3.eventbridge": ["s3EventBridgeNotificationObjectCreatedEvent"],
    "s3_queued": ["s3SqsEvent"],
}
# fields that only some senders add, and names of values
OPTIONAL = {"replay-name", "sourceKinesisStreamArn", "kinesisRecordMetadata", "testAttr", "Test", "TestBinary", "userArguments"}
FREE = {"detail", "NewImage", "OldImage", "Keys", "headers", "messageAttributes", "MessageAttributes"}
# the trigger of an authentic event, by the beginning of its file's name
OF = {
    "sqs": "sqs", "sns": "sqs", "snsEvent": "sns", "kinesisStream": "kinesis", "dynamo": "dynamodb", "kafka": "kafka",
    "kinesisFirehose": "firehose", "eventBridge": "event",
    "s3Batch": "batch", "s3": "files",
    "alb": "", "apiGateway": "", "lambdaFunctionUrl": "",
}  # fmt: skip
# events of S3 by which nothing was created; a restored key existed before
NOTHING = {
    "s3EventBridgeNotificationObjectDeletedEvent",
    "s3EventBridgeNotificationObjectExpiredEvent",
    "s3EventBridgeNotificationObjectRestoreCompletedEvent",
    "s3EventDeleteObject",
}


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_only_a_triggers_event_finds_a_trigger(path: Path) -> None:
    assert (find(json.loads(path.read_text())) is not None) == ("providers" in CASES[path.name.split(".")[0]])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["Records", "eventSource", "EventSource", "detail", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("name", ["sqs", "sqs.sns", "sns", "kinesis", "dynamodb", "s3", "s3.sns", "s3_queued"])
def test_one_record_by_itself_is_read_as_a_batch_of_one(name: str) -> None:
    first = sample(name)["Records"][0]
    assert read(first) == read({"Records": [first]}) != []


@given(anything)
def test_no_json_breaks_the_search_for_a_trigger(event: Any) -> None:
    trigger = find(event)
    assert trigger is None or trigger.name in ("unreadable", "foreign")


def test_a_request_imports_no_trigger() -> None:
    handlers = {path.stem for path in (ROOT / "handlers" / "aws").glob("aws_*.py")} - {"aws_event", "aws_triggers"}
    for name in handlers:
        sys.modules.pop(name, None)
    for shape in ("predict", "predict.rest", "predict.alb", "predict.url", "predict.direct", "health.direct"):
        assert find(sample(shape)) is None
    assert not handlers & {*sys.modules}


def fields(value: Any, place: str = "") -> Iterator[tuple[str, type]]:
    """List the places of an event's fields, with the types of their values; Kafka's partitions have any name."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key not in OPTIONAL:
                name = f"{place}.{'*' if place == '.records' and isinstance(item, list) else key}"
                yield name, type(item)
                yield from fields(item, name) if key not in FREE else ()
    elif isinstance(value, list):
        for item in value[:1]:
            yield from fields(item, place)


@pytest.mark.parametrize(("ours", "theirs"), [(ours, theirs) for ours, many in SHAPES.items() for theirs in many])
def test_our_samples_have_the_fields_of_authentic_events(ours: str, theirs: str) -> None:
    """All of them and no others, and values of the same types."""
    path = AUTHENTIC / f"{theirs}.json"
    if not path.exists():
        pytest.skip("authentic events are not beside this checkout")
    authentic, mine = ({*fields(event)} for event in (json.loads(path.read_text()), sample(ours)))
    assert {name for name, _ in mine} == {name for name, _ in authentic}
    assert {name for name, _ in mine & authentic} == {name for name, _ in authentic}


@pytest.mark.parametrize("path", sorted(AUTHENTIC.glob("*.json")), ids=lambda path: path.stem)
def test_every_authentic_event_finds_its_trigger_and_becomes_records(path: Path) -> None:
    event = json.loads(path.read_text())
    owner = next(OF[start] for start in sorted(OF, key=len, reverse=True) if path.stem.startswith(start))
    trigger = find(event)
    assert (trigger.name if trigger else "") == owner
    if trigger is not None:
        records = trigger.records(event, CONTEXT)
        assert bool(records) == (path.stem not in NOTHING) and all(record.id and record.fault is None for record in records)
        assert all(record.body or trigger.score for record in records)
        json.dumps([dict(record.origin) for record in records], allow_nan=False)


@pytest.mark.parametrize("name", ["kafka", "firehose", "sns", "eventbridge", "destination", "map"])
def test_a_failure_is_raised_if_the_reply_can_not_name_it(name: str) -> None:
    event = sample(name)
    with pytest.raises(ModelUnavailable):
        reply(event, *["rejected", "failed", "scored"][-len(read(event)) :][::-1] if len(read(event)) > 1 else ["failed"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from(["scored", "rejected", "failed"]), min_size=2, max_size=2))
def test_a_reply_is_fit_for_json(states: list[str]) -> None:
    json.dumps(reply(sample("sqs"), *states), allow_nan=False)
