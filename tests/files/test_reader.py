"""Reading files: each row is read as over HTTP, from any position, however the bytes arrive, and a bad row is reported alone."""

from __future__ import annotations

import builtins
import gzip
import io
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from flyweight.errors import InvalidInput, MalformedRequest, ObjectNotFound, TooLarge, UnsupportedMediaType
from flyweight.files.csv import csv_batches
from flyweight.files.jsonl import jsonl_batches
from flyweight.files.lines import MAX_ROW, Lines
from flyweight.files.reader import format_of
from flyweight.formats import parse
from flyweight.formats.batches import Batch
from flyweight.formats.compression import plain
from flyweight.formats.parquet import parquet_batches
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

FEATURES = [
    Feature("number", "number", True, None, None),
    Feature("word", "string", True, None, None),
    Feature("flag", "boolean", True, None, None),
]
VALIDATOR = Validator(Signature("regression", FEATURES, 1), Limits())
HEADER = b"number,word,flag\n"
GOOD = b'''number,word,flag
1,a,true
-2.5e3,"b,c",false
,"two
lines",
NA,"a ""quote""",1
 7 ,NaN,0
'''


def chunked(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


def csv_of(data: bytes, size: int = 1 << 20, rows: int = 3, position: dict[str, Any] | None = None) -> Iterator[Batch]:
    position = position or {}
    return csv_batches(Lines(chunked(data[position.get("offset", 0) :], size), position), VALIDATOR, position, rows, 1 << 20)


def json_of(data: bytes, size: int = 1 << 20, rows: int = 3, position: dict[str, Any] | None = None) -> Iterator[Batch]:
    position = position or {}
    return jsonl_batches(Lines(chunked(data[position.get("offset", 0) :], size), position), VALIDATOR, rows, 1 << 20)


def all_of(batches: Iterator[Batch]) -> tuple[list[Any], list[int], list[tuple[int, str, str]]]:
    """List all instances, their lines, and the faults with their messages."""
    instances, lines, faults = [], [], []
    for batch in batches:
        assert len(batch.instances) == len(batch.lines)
        instances += [[None if value != value else value for value in instance] for instance in batch.instances]
        lines += batch.lines
        faults += [(line, str(error), text) for line, error, text in batch.faults]
    return instances, lines, faults


def over_http(data: bytes) -> list[Any]:
    """Read the same rows as the body of a request."""
    return [*parse(data, "text/csv", VALIDATOR)[0]]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize(
    "data", [GOOD, GOOD.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + GOOD, GOOD.rstrip(), GOOD.replace(b"1,a", b"\n1,a")]
)
def test_csv_is_read_as_over_http(data: bytes, size: int, rows: int) -> None:
    instances, _, faults = all_of(csv_of(data, size, rows))
    assert instances == over_http(data)
    assert faults == []


@pytest.mark.parametrize("data", [b"number,word,flag\r1,a,true\r", b"number,word,flag\n1,a,true\r2,b,true\n"])
def test_lines_that_a_carriage_return_ends_are_refused_over_http_as_in_files(data: bytes) -> None:
    with pytest.raises(MalformedRequest, match="a carriage return ends a line without a line feed"):
        over_http(data)
    with pytest.raises(MalformedRequest, match="a carriage return ends a line without a line feed"):
        over_http(b"\n\n" + data)
    assert over_http(data.replace(b"\r", b"\r\n"))[0] == [1.0, "a", True]


def test_rows_are_named_by_the_line_that_they_begin_at() -> None:
    assert all_of(csv_of(GOOD))[1] == [2, 3, 4, 6, 7]


def test_columns_may_stand_in_any_order() -> None:
    instances, _, _ = all_of(csv_of(b"flag, word,number\n1,a,2\n"))
    assert instances == [[2.0, "a", True]]


BAD_ROWS = {
    b"1,a": "the row has 2 values, the header has 3",
    b"1,a,true,2": "the row has 4 values, the header has 3",
    b'1,"a"b,true': "the row is not CSV: ',' expected after '\"'",
    b"1,\xff,true": "the row is not UTF-8: byte 2 is 0xff",
    b"1,a\rb,true": "the row is not CSV: a carriage return ends a line without a line feed",
    b'"1,a,true': "the row is not CSV",  # a quote that takes along what follows it
}


@pytest.mark.parametrize("bad", BAD_ROWS)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_bad_row_is_reported_alone(bad: bytes, place: int, rows: int) -> None:
    lines = [b"1,a,true", b"2,b,false"]
    lines.insert(place, bad)
    instances, numbers, faults = all_of(csv_of(HEADER + b"\n".join(lines), rows=rows))
    assert instances == [[1.0, "a", True], [2.0, "b", False]]
    assert numbers == [number for number in (2, 3, 4) if number != place + 2]
    ((line, message, text),) = faults
    assert line == place + 2
    assert BAD_ROWS[bad] in message
    assert text == bad.decode("utf-8", "replace")


def test_a_quote_that_never_closes_gives_up_its_own_line_only() -> None:
    many = b"3,c,true\n" * 50_000
    instances, _, faults = all_of(csv_of(HEADER + b'1,a,true\n2,"b,true\n' + many, rows=1000))
    assert len(instances) == 50_001
    assert [(line, text) for line, _, text in faults] == [(3, '2,"b,true')]


@pytest.mark.parametrize("size", [1000, 1 << 20, 5 << 20])
def test_a_row_that_is_too_long_is_reported_and_skipped_in_bounded_memory(size: int) -> None:
    long = b"x" * (3 * MAX_ROW)
    data = HEADER + b"1,a,true\n1," + long + b",true\n2,b,true\n"
    batches = [*csv_of(data, size)]
    instances, lines, faults = all_of(iter(batches))
    assert (instances, lines) == ([[1.0, "a", True], [2.0, "b", True]], [2, 4])
    ((line, message, text),) = faults
    assert line == 3 and f"the row has {len(long) + 7} bytes" in message and len(text) == 1000
    assert batches[-1].after["offset"] == len(data)
    assert [(line, type(error)) for batch in json_of(b"[]\n" + long, size) for line, error, _ in batch.faults] == [(2, TooLarge)]


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", MalformedRequest, "empty"),
        (b"\n\n", MalformedRequest, "empty"),
        (b"number,number,flag\n", MalformedRequest, "column name twice"),
        (b'number,"word,flag\n1,a,true\n', MalformedRequest, "not CSV"),
        (b"number,wort,flag\n1,a,true\n", InvalidInput, "did you mean 'word'"),
        (b"number,word\n1,a\n", InvalidInput, "no such column"),
        (b"1,a,true\n", InvalidInput, "an unknown feature"),
    ],
)
def test_a_file_with_another_header_is_refused(data: bytes, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        next(csv_of(data))


LINES = b"""[1, "a", true]

{"number": 2, "word": "b", "flag": null}
{"number": NaN}
[1
\xff
   \r
[3, "c", false]\r
[4]"""


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_lines_of_json_are_read_strictly_and_each_by_itself(size: int) -> None:
    batches = [*json_of(LINES, size)]
    assert [instance for batch in batches for instance in batch.instances] == [
        [1, "a", True],
        {"number": 2, "word": "b", "flag": None},
        [3, "c", False],
        [4],
    ]
    assert [line for batch in batches for line in batch.lines] == [1, 3, 8, 9]
    faults = [(line, str(error)) for batch in batches for line, error, _ in batch.faults]
    assert [line for line, _ in faults] == [4, 5, 6]
    assert "line 4 holds NaN" in faults[0][1] and "line 5 is not JSON" in faults[1][1] and "not UTF-8" in faults[2][1]


PIECES = [b"1", b"", b"a", b'"', b'""', b",", b"\n", b"\r\n", b"x\xff", b'"a,\nb"', b"1,a,true\n", b"nan"]
ROW = st.lists(st.sampled_from(PIECES), max_size=40)


@given(pieces=ROW, size=st.integers(1, 30), rows=st.integers(1, 5), batches_of=st.sampled_from([csv_of, json_of]))
def test_a_reader_reads_the_same_from_any_position(
    pieces: list[bytes], size: int, rows: int, batches_of: Callable[..., Any]
) -> None:
    """The bytes come in chunks of any size, and reading begins at any batch; each line is in one row, or in one fault."""
    data = HEADER + b"".join(pieces)
    whole = [*batches_of(data, 1 << 20, rows)]
    expected = [comparable(batch) for batch in whole]
    assert [comparable(batch) for batch in batches_of(data, size, rows)] == expected
    for number, batch in enumerate(whole):
        assert [comparable(later) for later in batches_of(data, size, rows, batch.after)] == expected[number + 1 :]
    spans = [(line, text.count(b"\n") + 1) for batch in whole for line, text in zip(batch.lines, batch.texts, strict=True)]
    spans += [(line, text.count("\n") + 1) for batch in whole for line, _, text in batch.faults]
    covered = sorted(line + number for line, count in spans for number in range(count))
    assert len({*covered}) == len(covered)
    numbered = [*enumerate(data.split(b"\n"), 1)][1 if batches_of is csv_of else 0 :]
    assert {number for number, line in numbered if line.strip(b"\r ")} <= {*covered}


def comparable(batch: Batch) -> Any:
    """Make a batch comparable: errors by their messages, NaN by its text."""
    return repr([*batch.instances]), batch.lines, batch.texts, [(a, str(b), c) for a, b, c in batch.faults], batch.after


def bits(compression: str, data: bytes) -> bytes:
    return gzip.compress(data) if compression == "gzip" else zstandard.compress(data)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@pytest.mark.parametrize("size", [1, 1000, 1 << 20])
def test_compressed_bytes_are_read_member_by_member(compression: str, size: int) -> None:
    data = GOOD * 100
    packed = bits(compression, data) + bits(compression, b"") + bits(compression, data)
    assert b"".join(plain(chunked(packed, size), compression)) == data + data
    if compression == "gzip":
        assert b"".join(plain(chunked(packed + bytes(100), size), compression)) == data + data


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_bytes_that_break_off_or_are_not_compressed_are_refused(compression: str) -> None:
    packed = bits(compression, GOOD)
    for data, words in ((packed[:-1], "breaks off"), (packed + packed[:9], "breaks off"), (b"plain text", "are not")):
        with pytest.raises(MalformedRequest, match=words):
            [*plain([data], compression)]
    if compression == "gzip":
        with pytest.raises(MalformedRequest, match="are not"):
            [*plain([packed[:-8] + bytes(8)], compression)]  # the checksum


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_highly_compressed_bytes_come_in_bounded_pieces(compression: str) -> None:
    packed = bits(compression, bytes(200 << 20))
    sizes = [len(piece) for piece in plain([packed], compression)]
    assert sum(sizes) == 200 << 20
    assert max(sizes) <= (40 << 20)


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] in ("zstandard", "compression", "pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnsupportedMediaType, match=r"zstd needs Python 3\.14, zstandard or"):
        plain([], "zstd")
    with pytest.raises(UnsupportedMediaType, match="pyarrow, which is not installed"):
        next(parquet_batches(lambda start, size: b"", 0, VALIDATOR, {}, 10))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.csv", ("csv", "")),
        ("a/b.c/D.CSV.GZ", ("csv", "gzip")),
        ("x.jsonl.zst", ("jsonl", "zstd")),
        ("x.ndjson", ("jsonl", "")),
        ("x.parquet", ("parquet", "")),
    ],
)
def test_the_extension_says_the_format(key: str, expected: tuple[str, str]) -> None:
    assert format_of(key) == expected


@pytest.mark.parametrize("key", ["a", "csv", "a.txt", "a.gz", "a.csv/b", "a.parquet.gz", "a.csv.bz2", ".gz", ""])
def test_another_extension_is_refused(key: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=r"should end in \.csv"):
        format_of(key)


TABLE = pd.DataFrame({"flag": [True, None, False] * 10, "number": range(30), "word": ["a", None, "c"] * 10})


def parquet_of(table: Any) -> tuple[Callable[[int, int], bytes], int]:
    file = io.BytesIO()
    parquet.write_table(table, file, row_group_size=8)
    data = file.getvalue()
    return lambda start, size: data[start : start + min(size, 1000)], len(data)


def test_parquet_is_read_by_row_groups_and_entered_anywhere() -> None:
    read, length = parquet_of(pa.Table.from_pandas(TABLE, preserve_index=False))
    whole = [*parquet_batches(read, length, VALIDATOR, {}, 5)]
    rows = [[number, ["a", None, "c"][number % 3], [True, None, False][number % 3]] for number in range(30)]
    assert [instance for batch in whole for instance in batch.instances] == rows
    assert [line for batch in whole for line in batch.lines] == [*range(1, 31)]
    for number, batch in enumerate(whole):
        assert [*parquet_batches(read, length, VALIDATOR, batch.after, 5)] == whole[number + 1 :]


def test_a_file_that_is_not_parquet_or_has_other_columns_is_refused() -> None:
    with pytest.raises(MalformedRequest, match="not Parquet"):
        next(parquet_batches(lambda start, size: GOOD[start : start + size], len(GOOD), VALIDATOR, {}, 5))
    read, length = parquet_of(pa.table({"number": [1]}))
    with pytest.raises(InvalidInput, match="no such column"):
        next(parquet_batches(read, length, VALIDATOR, {}, 5))


def test_an_error_of_the_store_is_raised_through_parquet_unchanged() -> None:
    def read(start: int, size: int) -> bytes:
        raise ObjectNotFound("gone")

    with pytest.raises(ObjectNotFound, match="gone"):
        next(parquet_batches(read, 1000, VALIDATOR, {}, 5))


def parquet_faults(table: pa.Table, *features: Feature) -> list[str]:
    read, length = parquet_of(table)
    with pytest.raises(InvalidInput) as caught:
        next(parquet_batches(read, length, Validator(Signature("regression", [*features], 1), Limits()), {}, 5))
    return [str(fault) for fault in caught.value.faults]


def test_a_column_of_another_kind_is_refused_by_its_name() -> None:
    aware = pa.array([0], pa.timestamp("us", "Europe/Berlin"))
    table = pa.table({"age": ["39.1"], "word": pa.array(["a"]).dictionary_encode(), "flag": ["true"], "at": aware, "n": [1]})
    kinds = {"age": "number", "word": "string", "flag": "boolean", "at": "datetime", "n": "datetime"}
    assert parquet_faults(table, *[Feature(name, kind, True) for name, kind in kinds.items()]) == [
        "feature 'age': expected a number or null, got a column of string",
        "feature 'flag': expected a boolean or null, got a column of string",
        "feature 'at': expected a datetime without an offset, such as '2024-05-31T13:45:00', or null, "
        "got a column of timestamp[us, tz=Europe/Berlin]",
        "feature 'n': expected a datetime without an offset, such as '2024-05-31T13:45:00', or null, got a column of int64",
    ]
    assert "got a column of int64" in parquet_faults(pa.table({"word": [1]}), Feature("word", "string", True))[0]
    unknown = parquet_faults(pa.table({"word": ["a"], "wrd": ["a"]}), Feature("word", "string", True))
    assert unknown == ["feature 'wrd': expected a feature of this model, got an unknown feature (did you mean 'word'?)"]


def test_a_parquet_row_with_a_wrong_datetime_fails_alone() -> None:
    moments = pa.array([0, 1001, -(2**62)], pa.int64()).cast(pa.timestamp("ns"))
    price = pa.array([1.0, 2.0, 3.0]).cast(pa.decimal128(9, 2))
    read, length = parquet_of(pa.table({"at": moments, "beside": [[1], None, [2]], "price": price}))
    features = [Feature("at", "datetime", True), Feature("price", "number", True)]
    validator = Validator(Signature("regression", features, 1, None, "ignore"), Limits())
    (batch,) = parquet_batches(read, length, validator, {}, 5)
    assert validator.rows(batch.instances[:1]) == [[0.0, 1.0]]
    for wrong in batch.instances[1:]:
        with pytest.raises(InvalidInput, match="since 1970"):
            validator.rows([wrong])


def test_a_header_of_a_file_names_its_line_and_columns_may_be_ignored() -> None:
    with pytest.raises(InvalidInput, match="line 3, feature 'wort'"):
        [*csv_of(b"\n\nnumber,wort,flag\n1,a,true\n")]
    ignoring = Validator(Signature("regression", FEATURES, 1, None, "ignore"), Limits())
    batches = csv_batches(Lines([b"x,number,word,flag\n0,1,a,true\n"], {}), ignoring, {}, 5, 1 << 20)
    assert all_of(batches)[0] == [[1.0, "a", True]]


def test_numbers_beside_a_column_that_nothing_reads_are_still_one_array() -> None:
    features = [Feature("id", "unread", True), Feature("a", "number", True), Feature("b", "number", True)]
    validator = Validator(Signature("regression", features, 1), Limits())
    for header in (b"a,b", b"id,a,b", b"a,id,b"):
        lines = b"\n".join([header, *[b",".join([b"1"] * (header.count(b",") + 1))] * 3, b"NA" + b",2" * header.count(b",")])
        (batch,) = csv_batches(Lines([lines], {}), validator, {}, 10, 1 << 20)
        rows = validator.rows([batch.exceptions_by_row.get(n) or row for n, row in enumerate(batch.instances.tolist())])
        assert str(rows[0]) == "[nan, 1.0, 1.0]" and str(rows[3][0]) == "nan"
