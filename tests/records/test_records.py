"""Making records of a batch: what can't be read becomes one record with its fault, and holds what the sender sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import MalformedRequest, NotServed
from flyweight.records import Record, content_type_of, records_of, sound, unreadable
from flyweight.records.cloudevents import is_event, record_of, structured
from flyweight.records.fields import decoded, required

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_an_item_that_can_not_be_read_is_one_record_and_the_others_are_made() -> None:
    def make(item: Any) -> list[Record]:
        return [Record(item["id"], item["body"].encode())]

    items: list[Any] = [{"id": "a", "body": "1"}, None, {"id": "b"}, {"id": "c", "body": 5}, {"id": "d", "body": "2"}]
    records = records_of(items, make, unreadable)
    assert [record.id for record in records if record.fault is None] == ["a", "d"]
    assert [json.loads(record.body) for record in records if record.fault is not None] == [None, {"id": "b"}, items[3]]
    assert "the field 'body' is missing" in str(records[2].fault)


def test_scarce_memory_is_no_fault_of_a_record() -> None:
    def make(item: Any) -> list[Record]:
        raise MemoryError

    with pytest.raises(MemoryError):
        records_of([1], make, unreadable)


@given(json_values, json_values, json_values)
def test_any_item_becomes_a_sound_record_with_the_same_id_each_time(item: Any, source: Any, identity: Any) -> None:
    record = unreadable(item, ValueError("odd"), "message", source, identity)
    assert sound([record]) == [record] and isinstance(record.fault, MalformedRequest) and record.id
    assert unreadable(item, ValueError("odd"), "message", source, identity).id == record.id


def test_a_fault_that_was_raised_on_purpose_stays_as_it_is() -> None:
    assert isinstance(unreadable({}, NotServed("x")).fault, NotServed)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert unreadable(deep, RecursionError()).body


@pytest.mark.parametrize(
    "record",
    [
        Record(5, b""),  # type: ignore[arg-type]
        Record("i", "text"),  # type: ignore[arg-type]
        Record("i", b"", None),  # type: ignore[arg-type]
        Record("i", b"", "", None),  # type: ignore[arg-type]
        Record("i", b"", "", {"source": [1]}),
        Record("i", b"", "", {}, [1]),  # type: ignore[arg-type]
    ],
)
def test_a_record_with_a_field_of_another_type_fails_alone(record: Record) -> None:
    good = Record("good", b"[[1]]")
    first, second = sound([good, record])
    assert first is good and isinstance(second.fault, MalformedRequest) and isinstance(second.body, bytes)
    assert sound([second]) == [second]


def test_a_content_type_is_found_among_attributes_of_any_kind() -> None:
    assert content_type_of([(5, "x"), ("Content-Type", None), ("other", "y")]) == ""  # type: ignore[list-item]
    assert content_type_of([("CONTENT-TYPE", "text/csv")]) == "text/csv"


@pytest.mark.parametrize("value", [5, "é", "?", [], "YQ", "YQ=="])
def test_base64_is_read_strictly(value: Any) -> None:
    if value == "YQ==":
        assert decoded(value, "data") == b"a" and decoded(None, "data") == decoded("", "data") == b""
    else:
        with pytest.raises(MalformedRequest, match="'data'"):
            decoded(value, "data")


@pytest.mark.parametrize("item", [None, [], {}, {"url": 5}, "url"])
def test_a_field_without_which_nothing_can_be_scored_is_named(item: Any) -> None:
    with pytest.raises(MalformedRequest, match="'url'"):
        required(item, "url")


def test_both_schemas_of_events_are_read() -> None:
    cloud = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "u", "time": "w", "data": {"a": 1}}
    grid = {"id": "1", "topic": "s", "eventType": "t", "subject": "u", "eventTime": "w", "data": {"a": 1}, "dataVersion": "1"}
    assert structured(cloud) == structured(grid)
    assert is_event(cloud) and is_event(grid) and not is_event({"type": "t", "source": "s"}) and not is_event([cloud])
    record = record_of(structured(cloud), {"message": "m"})
    assert (record.id, json.loads(record.body), record.origin["source"], record.origin["message"]) == ("1", {"a": 1}, "s", "m")


@given(json_values)
def test_any_document_is_an_event_or_refused(document: Any) -> None:
    try:
        event = structured(document)
    except MalformedRequest:
        return
    assert sound([record_of(event, {})])[0].fault is None
