"""Records of SQS and SNS, also of messages that were passed on to them, and the messages that a reply names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flyweight.errors import MalformedRequest, ModelUnavailable
from tests.targets.aws.events import folder, read, reply, sample

__all__ = ["folder"]


def test_a_notification_in_a_queue_is_the_published_message() -> None:
    first, _ = read(sample("sqs.sns"))
    assert json.loads(first.body)["island"] == "Torgersen"
    assert first.origin["topic"].endswith(":penguins")


def test_an_instance_that_only_looks_like_an_envelope_is_left_alone() -> None:
    event = sample("sqs")
    for body in ('{"TopicArn": 1}', '"TopicArn" {', '["detail-type"]', '{"Type": "Notification", "TopicArn": "x", "Message": 7}'):
        event["Records"][0]["body"] = body
        assert read(event)[0].body == body.encode()


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_a_content_type_among_the_attributes_is_the_bodys(name: str) -> None:
    event = sample("sqs")
    event["Records"][0]["messageAttributes"] = {name: {"stringValue": "text/csv", "dataType": "String"}}
    assert [record.content_type for record in read(event)] == ["text/csv", ""]
    event = sample("sns")
    event["Records"][0]["Sns"]["MessageAttributes"] = {name: {"Type": "String", "Value": "text/csv"}}
    assert read(event)[0].content_type == "text/csv"


def test_a_group_keeps_order_in_a_fifo_queue_only() -> None:
    event = sample("sqs.fifo")
    assert {record.sequence for record in read(event)} == {"torgersen"}
    for record in event["Records"]:
        record["eventSourceARN"] = record["eventSourceARN"].removesuffix(".fifo")
    assert {record.sequence for record in read(event)} == {""}


def test_the_reply_to_a_queue_names_failed_messages_and_no_rejected_ones() -> None:
    event = sample("sqs_rejected")
    failures = reply(event, "scored", "failed", "rejected", "failed")["batchItemFailures"]
    assert [failure["itemIdentifier"] for failure in failures] == [event["Records"][place]["messageId"] for place in (1, 3)]


ODD = [None, True, 5, "", "odd", [], {}, [None], {"a": 1}]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "field", ["attributes", "messageAttributes", "eventSourceARN", "eventSource", "receiptHandle", "messageId"]
)
def test_odd_facts_about_a_message_leave_its_body_readable(field: str, odd: Any) -> None:
    event = sample("sqs")
    expected = [record.body for record in read(event)]
    event["Records"][0][field] = odd
    assert [record.body for record in read(event)] == expected
    del event["Records"][0][field]
    records = read(event)
    assert [record.body for record in records] == expected and all(record.id for record in records)


@pytest.mark.parametrize("odd", [odd for odd in ODD if not isinstance(odd, str)])
def test_a_body_that_is_no_text_is_refused_with_the_reason(odd: Any) -> None:
    event = sample("sqs")
    name = event["Records"][0]["messageId"]
    event["Records"][0]["body"] = odd
    first, second = read(event)
    assert isinstance(first.fault, MalformedRequest) and first.id == name and second.fault is None
    assert str(first.fault).startswith("the message can't be read: the field 'body' should be a text, got ")
    assert json.loads(first.body) == event["Records"][0]  # its dead letter holds all of it
    event["Records"][0] = odd
    assert [record.fault is None for record in read(event)] == [False, True]


def test_a_failed_message_without_an_id_brings_the_whole_batch_again() -> None:
    event = sample("sqs")
    del event["Records"][1]["messageId"]
    assert reply(event, "scored", "rejected") == {"batchItemFailures": []}
    with pytest.raises(ModelUnavailable):
        reply(event, "scored", "failed")


def test_a_notification_without_a_message_fails_alone() -> None:
    event = sample("sns")
    sound = event["Records"][0]
    event["Records"] = [sound, {**sound, "Sns": None}, {**sound, "Sns": {**sound["Sns"], "Message": 5}}, None, sound]
    assert [record.fault is None for record in read(event)] == [True, False, False, False, True]
