"""The wire format of protobuf: whole numbers that are packed."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from server_protobuf import varint, varints

from flyweight.errors import MalformedRequest


@given(st.lists(st.integers(-(2**63), 2**64 - 1)))
def test_packed_numbers_are_read_as_they_were_written(numbers: list[int]) -> None:
    assert varints(b"".join(map(varint, numbers))) == [number % 2**64 for number in numbers]


@pytest.mark.parametrize("packed", [b"\x80", b"\x01\x80\x80", b"\x80" * 10 + b"\x01", b"\x80" * 1_000_000], ids=lambda p: len(p))
def test_a_packed_number_that_breaks_off_or_is_too_long_is_refused(packed: bytes) -> None:
    with pytest.raises(MalformedRequest, match=r"number \d breaks off, or is too long"):
        varints(packed)


def test_the_bits_of_a_number_above_64_are_left_out() -> None:
    assert varints(b"\xff" * 9 + b"\x7f") == [2**64 - 1]


def test_no_function_is_called_for_each_packed_number() -> None:
    """A call for each takes seconds for a body of 6 MB."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        varints(varint(300) * 10_000)
    finally:
        sys.setprofile(None)
    assert calls < 10
