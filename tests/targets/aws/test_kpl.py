"""Aggregates of the Kinesis Producer Library are split into their records, each scored by itself; damaged ones are refused."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import MalformedRequest
from tests.targets.aws.events import folder, read, reply, sample

__all__ = ["folder"]


def varint(value: int) -> bytes:
    digits = b""
    while value > 0x7F:
        digits += bytes([value & 0x7F | 0x80])
        value >>= 7
    return digits + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def aggregate(records: list[tuple[str, bytes]]) -> bytes:
    """Write an aggregate as the library does, with a table of keys, and tags, which nobody reads."""
    keys = sorted({key for key, _ in records})
    message = b"".join(field(1, key.encode()) for key in keys)
    for key, data in records:
        message += field(3, field(1, keys.index(key)) + field(3, data) + field(4, field(1, b"tag")))
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message).digest()


def event(*data: bytes) -> Any:
    whole = sample("kinesis")
    first = whole["Records"][0]
    numbered = [
        {**first["kinesis"], "data": base64.b64encode(one).decode(), "sequenceNumber": f"{n}"} for n, one in enumerate(data)
    ]
    return {"Records": [{**first, "kinesis": one} for one in numbered]}


@given(st.lists(st.tuples(st.text(max_size=9).filter(lambda key: key.isprintable()), st.binary(max_size=300)), max_size=9))
def test_an_aggregate_is_its_records(records: list[tuple[str, bytes]]) -> None:
    found = read(event(aggregate(records)))
    assert [(record.origin["key"], record.body) for record in found] == records
    assert [record.id for record in found] == [f"0/{place}" for place in range(len(records))]


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(1, 255))
def test_a_damaged_aggregate_is_one_refused_record(junk: bytes, place: int, change: int) -> None:
    whole = bytearray(aggregate([("a", b"{}"), ("b", b"[1]")]))
    whole[4 + place % (len(whole) - 4)] ^= change
    signed = b"\xf3\x89\x9a\xc2" + junk + hashlib.md5(junk).digest()  # a sound checksum of something else
    for data in (bytes(whole), bytes(whole[:-1]), whole[:4] + junk):
        (record,) = read(event(bytes(data)))
        assert isinstance(record.fault, MalformedRequest)
    for record in read(event(signed)):
        assert record.fault is None or isinstance(record.fault, MalformedRequest)


def test_a_failure_names_the_whole_aggregate() -> None:
    whole = event(b"{}", aggregate([("a", b"{}"), ("b", b"{}"), ("b", b"{}")]))
    assert reply(whole, "scored", "scored", "failed", "failed") == {"batchItemFailures": [{"itemIdentifier": "1"}]}
