"""Sinks: an address opens one by its scheme, a key names a record and a model, and documents are sent in limited batches."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.records import Record
from flyweight.records.sinks import LogLines, batched, dead_letter, key_of, open_sink, send_all


def test_an_address_is_opened_by_the_handlers_module_of_sinks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = SimpleNamespace(SCHEMES=("here", "there"), open_sink=lambda address: f"a sink at {address}")
    monkeypatch.setitem(sys.modules, "some_sinks", module)  # type: ignore[arg-type]
    assert open_sink("here://x", "some_sinks") == "a sink at here://x"
    with pytest.raises(ValueError, match="begin with here: or there:; got 'elsewhere://x'"):
        open_sink("elsewhere://x", "some_sinks")


def test_without_an_address_the_module_of_sinks_is_not_imported() -> None:
    assert open_sink("", "no_such_module") is None


def test_a_handler_without_sinks_takes_no_address() -> None:
    with pytest.raises(ValueError, match="be empty, because this handler has no sinks; got 'here://x'"):
        open_sink("here://x", "")


@given(sizes=st.lists(st.integers(0, 9), max_size=30), max_items=st.integers(1, 4), max_bytes=st.integers(1, 12))
def test_batches_keep_the_order_and_hold_limited_items_and_bytes(sizes: list[int], max_items: int, max_bytes: int) -> None:
    items = [*enumerate(sizes)]
    batches = [*batched(items, max_items, max_bytes, lambda item: item[1])]
    assert [item for batch in batches for item in batch] == items
    assert all(0 < len(batch) <= max_items for batch in batches)
    assert all(len(batch) == 1 or sum(size for _, size in batch) <= max_bytes for batch in batches)
    for batch, following in pairwise(batches):
        with_next = [*batch, following[0]]
        assert len(with_next) > max_items or sum(size for _, size in with_next) > max_bytes, "two calls where one would do"


def test_a_key_is_of_the_record_its_source_and_the_model() -> None:
    record, elsewhere = Record("a", b"1", origin={"source": "s"}), Record("a", b"1", origin={"source": "t"})
    assert key_of(record, "m") == key_of(Record("a", b"2", origin={"source": "s", "time": 1}), "m")
    assert len({key_of(record, "m"), key_of(record, "n"), key_of(elsewhere, "m"), key_of(Record("b", b"1"), "m")}) == 4
    assert len(key_of(record, "m")) == 64


def test_a_dead_letter_holds_the_whole_record() -> None:
    record = Record("a", b"x,\xc3\xa9", "text/csv", {"source": "s"})
    letter = dead_letter("k", record, {"status": 422})
    expected = {"key": "k", "id": "a", "origin": {"source": "s"}, "problem": {"status": 422}, "media": "text/csv"}
    assert letter == {**expected, "body": "x,é"}
    assert dead_letter("k", record._replace(body=b"\xff"), {"status": 422}) == {**expected, "body_base64": "/w=="}


class Picky:
    """A sink that raises as long as a document that it can't take is among those that it gets."""

    def __init__(self, *bad: str, error: type[Exception] = TypeError) -> None:
        self.bad, self.error, self.calls = {*bad}, error, 0
        self.kept: list[str] = []

    def send(self, documents: Any) -> dict[str, str]:
        self.calls += 1
        keys = [key for key, _ in documents]
        if self.bad & {*keys}:
            raise self.error("a document that it can't take")
        self.kept += keys
        return {}


@pytest.mark.parametrize("count", [1, 2, 3, 100, 1000])
@pytest.mark.parametrize("place", [0, -1, 0.5])
def test_a_document_that_makes_a_sink_raise_fails_alone(count: int, place: float) -> None:
    documents: Any = [(f"k{number}", {}) for number in range(count)]
    bad = documents[int(place * count) if place == 0.5 else int(place)][0]
    sink = Picky(bad)
    if count == 1:
        with pytest.raises(TypeError):
            send_all(sink, documents)
        return
    assert [*send_all(sink, documents)] == [bad]
    assert sorted(sink.kept) == sorted(key for key, _ in documents if key != bad)
    assert sink.calls <= 2 * count.bit_length() + 1


@pytest.mark.parametrize(("error", "most"), [(ConnectionError, 1), (MemoryError, 1), (RuntimeError, 14)])
def test_a_sink_that_is_away_is_not_asked_for_each_document(error: type[Exception], most: int) -> None:
    documents: Any = [(f"k{number}", {}) for number in range(1000)]
    sink = Picky(*[key for key, _ in documents], error=error)
    with pytest.raises(error):
        send_all(sink, documents)
    assert sink.calls <= most


def test_a_letter_that_the_log_can_not_write_is_not_taken() -> None:
    def write(entry: Any) -> None:
        if entry["id"] == "full":
            raise OSError(28, "No space left on device")

    documents: Any = [(name, {"id": name, "problem": {"title": "invalid input"}}) for name in ("full", "fine")]
    assert [*LogLines(write).send(documents)] == ["full"]
