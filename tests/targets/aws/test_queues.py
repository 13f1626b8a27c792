"""Records of SQS and SNS, also of messages that were passed on to them, and the messages that a reply names."""

from __future__ import annotations

import json

import pytest

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
