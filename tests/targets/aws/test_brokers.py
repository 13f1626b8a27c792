"""Records of Kafka and messages of ActiveMQ and RabbitMQ, and the replies to them."""

from __future__ import annotations

from typing import Any

import pytest

from flyweight.errors import MalformedRequest, ModelUnavailable
from tests.targets.aws.events import folder, read, reply, sample

__all__ = ["folder"]


@pytest.mark.parametrize(
    "headers", [None, "x", [None], [{"content-type": None}], [{"content-type": "odd"}], [{"a": [300, -1]}], {}]
)
def test_odd_headers_leave_a_record_as_it_is(headers: Any) -> None:
    event = sample("kafka")
    event["records"]["penguins-0"][0]["headers"] = headers
    first = read(event)[0]
    assert first.fault is None and first.content_type in ("", "odd")


@pytest.mark.parametrize("value", [5, [], {}, True])
def test_a_value_that_is_no_text_fails_alone(value: Any) -> None:
    event = sample("kafka")
    event["records"]["penguins-0"][0]["value"] = value
    first, second = read(event)
    assert isinstance(first.fault, MalformedRequest) and second.fault is None


@pytest.mark.parametrize("group", [None, "text", 5, {}])
def test_a_partition_that_is_no_list_is_one_bad_record(group: Any) -> None:
    event = sample("kafka")
    event["records"]["penguins-0"] = group
    assert [record.fault is None for record in read(event)] == [False, True]


def test_kafka_is_told_the_failed_records_if_its_mapping_takes_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another mapping would take the reply as a success."""
    event = sample("kafka")
    with pytest.raises(ModelUnavailable):
        reply(event, "scored", "failed")
    monkeypatch.setenv("FLYWEIGHT_KAFKA_PARTIAL", "true")
    assert reply(event, "scored", "failed") == {
        "batchItemFailures": [{"itemIdentifier": {"partition": "penguins-1", "offset": 7}}]
    }
    assert reply(event, "scored", "rejected") == {"batchItemFailures": []}
    event["records"]["penguins-1"][0]["offset"] = None  # a record that the reply can't name
    with pytest.raises(ModelUnavailable):
        reply(event, "scored", "failed")


def test_messages_of_brokers_are_records() -> None:
    first, second = read(sample("mq"))
    assert first.id.endswith(":1") and first.origin["queue"] == "penguins" and second.fault is None
    plain, csv = read(sample("rabbitmq"))
    assert (plain.content_type, csv.content_type, csv.origin["queue"]) == ("", "text/csv", "penguins::/")


def test_messages_of_the_same_contents_are_two() -> None:
    """RabbitMQ's messages have no id unless their sender gives one."""
    event = sample("rabbitmq")
    messages = event["rmqMessagesByQueue"]["penguins::/"]
    messages[1] = messages[0]
    assert len({record.id for record in read(event)}) == 2
    messages[0] = {**messages[0], "basicProperties": {"messageId": "mine"}}
    assert read(event)[0].id == "mine"


@pytest.mark.parametrize("name", ["mq", "rabbitmq"])
def test_a_failure_is_raised_to_a_broker(name: str) -> None:
    with pytest.raises(ModelUnavailable):
        reply(sample(name), "scored", "failed")
    assert reply(sample(name), "scored", "rejected") is None


@pytest.mark.parametrize("name", ["content_type", "contentType", "content-type"])
def test_a_property_of_activemq_names_the_content_type(name: str) -> None:
    event = sample("mq")
    event["messages"][0]["properties"] = {name: "text/csv"}
    assert [record.content_type for record in read(event)] == ["text/csv", ""]
