"""Records of Kinesis, DynamoDB, Kafka and Firehose, and the checkpoint or the results of the reply."""

from __future__ import annotations

import base64
import json

import pytest

from flyweight.errors import MalformedRequest
from tests.targets.aws.events import folder, read, reply, sample

__all__ = ["folder"]


@pytest.mark.parametrize("name", ["kinesis", "dynamodb"])
def test_the_reply_to_a_stream_names_the_first_failed_record(name: str) -> None:
    event = sample(name)
    states = ["rejected", "failed", "failed"][: len(read(event))]
    numbers = [record.get(name)[{"kinesis": "sequenceNumber", "dynamodb": "SequenceNumber"}[name]] for record in event["Records"]]
    assert reply(event, *states) == {"batchItemFailures": [{"itemIdentifier": numbers[1]}]}
    assert {record.sequence for record in read(event)} != {""}


def test_an_items_features_are_its_attributes_but_for_its_key() -> None:
    first, second = read(sample("dynamodb"))
    assert json.loads(first.body)["bill_length_mm"] == 39.1
    assert (json.loads(second.body)["sex"], second.origin["keys"], second.origin["event"]) == (
        None,
        {"id": "penguin-2"},
        "MODIFY",
    )


def test_every_type_of_attribute_has_a_plain_value() -> None:
    event = sample("dynamodb")
    typed = {"L": [{"N": "1"}, {"N": "-1.5E+3"}]}
    image = {"m": {"M": {"b": {"BOOL": True}, "x": {"NULL": True}}}, "ns": {"NS": ["2"]}, "ss": {"SS": ["a"]}, "b": {"B": "AA=="}}
    event["Records"][0]["dynamodb"]["NewImage"] = {**image, "l": typed}
    expected = {"l": [1, -1500.0], "m": {"b": True, "x": None}, "ns": [2], "ss": ["a"], "b": "AA=="}
    assert json.loads(read(event)[0].body) == expected


def test_each_partition_is_a_sequence_and_a_tombstone_is_no_record() -> None:
    first, second = read(sample("kafka"))
    assert (first.id, first.sequence, first.content_type) == ("penguins-0-15", "penguins-0", "")
    assert (second.id, second.sequence, second.content_type) == ("penguins-1-7", "penguins-1", "text/csv")


def test_data_that_is_not_base64_is_a_record_with_a_fault() -> None:
    event = sample("kinesis")
    event["Records"][0]["kinesis"]["data"] = "%%%"
    first = read(event)[0]
    assert isinstance(first.fault, MalformedRequest) and first.body == b"%%%"


def test_firehose_gets_a_line_or_its_own_data_back() -> None:
    event = sample("firehose")
    ok, bad, empty = reply(event, "scored", "rejected")["records"]
    assert json.loads(base64.b64decode(ok["data"])) == {"id": ok["recordId"], "n": None}
    assert (bad["result"], bad["data"], empty["result"]) == ("ProcessingFailed", event["records"][1]["data"], "Dropped")
