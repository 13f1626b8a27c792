"""A small Parquet file never unpacks to gigabytes: the headers of its pages are read first, and texts are not repeated."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from flyweight.errors import FlyweightError, TooLarge
from flyweight.files.results import score_batch
from flyweight.formats import parquet_pages
from flyweight.formats.batches import Batch
from flyweight.formats.parquet import parquet_batches
from flyweight.formats.parquet_pages import check_pages
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits
from tests.ops.hostile import predictor

B = {"name": "b", "kind": "number", "nullable": True}
TEXT, NUMBER = Feature("a", "string", True), Feature("a", "number", True)


def written(values: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": values}), file, compression="zstd", **options)
    return file.getvalue()


def batches(data: bytes, feature: Feature, rows: int = 4096, position: Any = None) -> list[Batch]:
    validator = Validator(Signature("regression", [feature], 1), Limits())
    return [*parquet_batches(lambda start, size: data[start : start + size], len(data), validator, position or {}, rows)]


def test_a_page_that_unpacks_to_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "MAX_PAGE", 1 << 20)
    data = written(["x" * 3_000_000], use_dictionary=False)
    with pytest.raises(TooLarge, match=r"unpacks from \d+ to 300\d+ bytes, the limit is 1048576"):
        batches(data, TEXT)
    with pytest.raises(TooLarge, match="a page of the file"):
        batches(written(["x" * 3_000_000]), TEXT)
    assert batches(written(["x" * 3000]), TEXT)


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_lengths_that_unpack_to_much_are_refused(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_pages, "MAX_PAGE", 4000)
    monkeypatch.setattr(parquet_pages, "MAX_REPEATING_PAGE", 4000)
    data = written([""] * 2000, use_dictionary=False, column_encoding={"a": encoding})
    with pytest.raises(TooLarge, match="to 8000 bytes"):
        batches(data, TEXT)


OPTIONS: dict[str, dict[str, Any]] = {
    "dictionary": {"dictionary_pagesize_limit": 1 << 24},
    "repeated beginnings": {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_text_of_many_rows_is_in_memory_once_or_cut(options: dict[str, Any]) -> None:
    data = written(["x" * 100_000] * 1000, **options)
    assert len(data) < 1000
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        (batch,) = batches(data, TEXT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(batch.instances) == 1000 and {len(text) for (text,) in batch.instances} <= {100_000, 10_001}
    assert peak < 20_000_000  # of 100 MB
    assert pa.total_allocated_bytes() - before < 20_000_000


def test_a_text_of_many_rejected_rows_is_cut_in_each() -> None:
    signature = {"task": "regression", "outputs": 1, "features": [{"name": "a", "kind": "string", "nullable": True}, B]}
    take = {"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [1]}
    model = predictor([take], "y", signature=signature)
    model.validator.limits = Limits()
    file = io.BytesIO()
    parquet.write_table(pa.table({"a": ["x" * 100_000] * 500 + ["x"], "b": [1.0] * 501}), file)
    data = file.getvalue()
    (batch,) = parquet_batches(lambda start, size: data[start : start + size], len(data), model.validator, {}, 4096)
    answers, rejected, answered, refused = score_batch(model, batch, "jsonl", True)
    assert (answered, refused) == (1, 500) and answers == b'{"line":501,"prediction":1.0}\n'
    assert len(rejected) < 500 * 2000 and b"at most 10000 characters, got 100000 characters" in rejected


@pytest.mark.parametrize("options", [{}, *OPTIONS.values(), {"use_dictionary": False, "data_page_version": "2.0"}])
def test_texts_are_read_in_batches_and_entered_anywhere(options: dict[str, Any]) -> None:
    texts = [None if number % 7 == 0 else f"text {number % 40}" for number in range(150)]
    data = written(pa.array(texts, pa.string()), row_group_size=100, **options)
    whole = batches(data, TEXT, 33)
    assert [row for batch in whole for row in batch.instances] == [[text] for text in texts]
    assert [line for batch in whole for line in batch.lines] == [*range(1, 151)]
    for number, batch in enumerate(whole):
        assert batches(data, TEXT, 33, batch.after) == whole[number + 1 :]


@pytest.mark.parametrize("kind", ["numbers", "flags", "moments", "lists beside"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_headers_of_all_kinds_of_pages_are_understood(kind: str, version: str) -> None:
    columns = {
        "numbers": pa.array(np.arange(5000.0)),
        "flags": pa.array([True, None, False] * 1000),
        "moments": pa.array(np.arange(3000), pa.timestamp("us")),
        "lists beside": pa.array([1, None, 3] * 1000),
    }
    feature = Feature("a", "datetime" if kind == "moments" else "boolean" if kind == "flags" else "number", True)
    file = io.BytesIO()
    table = pa.table({"a": columns[kind]})
    parquet.write_table(table, file, data_page_version=version, data_page_size=1000, write_page_checksum=True)
    assert sum(len(batch.instances) for batch in batches(file.getvalue(), feature)) == len(table)


def test_a_file_whose_pages_claim_gigabytes_is_refused() -> None:
    """A header by hand: 2 GB in 10 bytes, of a data page."""
    header = bytes([0x15, 0x00, 0x15]) + number(2**31 - 1) + bytes([0x15]) + number(10) + b"\0"
    with pytest.raises(TooLarge, match="from 10 to 2147483647 bytes"):
        check_pages(header + bytes(10))


def number(value: int) -> bytes:
    """Write a whole number as Thrift does."""
    value, written = value << 1, b""
    while value > 127:
        written, value = written + bytes([value & 127 | 128]), value >> 7
    return written + bytes([value])


@given(st.binary(max_size=60))
def test_any_bytes_are_pages_or_refused(data: bytes) -> None:
    try:
        check_pages(data)
    except FlyweightError:
        pass


@given(st.data())
def test_a_damaged_file_is_read_or_refused(drawn: st.DataObject) -> None:
    data = bytearray(SAMPLE)
    for _ in range(drawn.draw(st.integers(1, 3))):
        data[drawn.draw(st.integers(4, len(data) - 9))] = drawn.draw(st.integers(0, 255))
    try:
        batches(bytes(data), NUMBER)
    except FlyweightError:
        pass


SAMPLE = written(pa.array([1.0, None, 3.0]))
