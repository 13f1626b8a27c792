"""EventBridge Pipes sends arrays of records, from each of its sources, as target or as enrichment."""

from __future__ import annotations

from typing import Any

import pytest

from flyweight.errors import ModelUnavailable
from tests.targets.aws.events import find, folder, read, reply, sample

__all__ = ["folder"]


def piped(name: str) -> list[Any]:
    """Write the records of a sample of Lambda's own mapping as a pipe sends them."""
    event = sample(name)
    if name == "kinesis":
        return [
            {**item["kinesis"], **{key: value for key, value in item.items() if key != "kinesis"}} for item in event["Records"]
        ]
    same = {key: event[key] for key in ("eventSource", "eventSourceArn", "bootstrapServers") if key in event}
    if name == "mq":
        return [{**item, **same, "eventSource": "aws:amq"} for item in event["messages"]]
    if name.startswith("kafka"):
        return [{**item, **same, "eventSourceKey": key} for key, group in event["records"].items() for item in group]
    if name == "rabbitmq":
        return [{**item, **same, "eventSourceKey": key} for key, group in event["rmqMessagesByQueue"].items() for item in group]
    records: list[Any] = event["Records"]
    return records


SOURCES = ["sqs", "sqs.fifo", "sqs.sns", "kinesis", "dynamodb", "kafka", "kafka.self_managed", "mq", "rabbitmq"]


@pytest.mark.parametrize("name", SOURCES)
def test_each_source_has_the_same_records_as_by_lambdas_own_mapping(name: str) -> None:
    own, through = read(sample(name)), read(piped(name))
    assert [record._replace(origin={}) for record in through] == [record._replace(origin={}) for record in own]
    assert [record.origin["source"] for record in through] == [record.origin["source"] for record in own]


def test_a_bad_record_of_a_pipe_fails_alone() -> None:
    for bad in (None, 5, {}, {"eventSource": "aws:odd"}, {"eventSource": "aws:sqs", "body": None}):
        first, second, third = read([bad, *piped("sqs")])
        assert first.fault is not None and second.fault is third.fault is None


def test_without_a_sink_the_answers_enrich_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLYWEIGHT_RESULTS", raising=False)
    event = piped("sqs")
    assert [answer["id"] for answer in reply(event, "scored", "rejected")] == [item["messageId"] for item in event]
    monkeypatch.setenv("FLYWEIGHT_RESULTS", "sqs://scores")
    assert reply(event, "scored", "rejected") == {"batchItemFailures": []}


def test_failed_records_are_named_and_a_whole_failure_is_raised() -> None:
    event = piped("sqs")
    assert reply(event, "scored", "failed") == {"batchItemFailures": [{"itemIdentifier": event[1]["messageId"]}]}
    with pytest.raises(ModelUnavailable):
        reply(event, "failed", "failed")
    with pytest.raises(ModelUnavailable):
        reply(piped("kafka"), "scored", "failed")
    stream = piped("kinesis")
    assert reply(stream, "scored", "failed", "failed") == {"batchItemFailures": [{"itemIdentifier": stream[1]["sequenceNumber"]}]}


def test_instances_without_an_object_around_them_are_no_records() -> None:
    for event in ([], [1, 2], [[1.0]], [{"island": "Biscoe"}], ["aws:sqs"]):
        assert find(event) is None
