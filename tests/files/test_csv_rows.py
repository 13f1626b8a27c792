"""Rows that a quote continues over many lines are read as the csv module reads them, and each line is looked at a few times."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import FlyweightError, MalformedRequest, TooLarge
from flyweight.files import csv_rows
from flyweight.files.csv_rows import RowReader
from flyweight.files.lines import Lines, TruncatedLine

Rows = list[list[str] | str]
FIELD, ROW = 60, 200  # the limits of these tests


@pytest.fixture(autouse=True)
def short_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(csv_rows, "MAX_ROW", ROW)
    usual = csv.field_size_limit(FIELD)
    yield
    csv.field_size_limit(usual)


def chunks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read(data: bytes, together: int, size: int) -> Rows:
    """Read all rows; a fault is "refused", and reading goes on in the next line."""
    source, rows = Lines(chunks(data, size), {}), list[list[str] | str]()
    reader = RowReader(source)
    while lines := source.take(together, 1 << 20):
        first, begin = source.line - len(lines), 0
        while begin < len(lines):
            try:
                row, begin = reader.read(lines, begin, first + begin)
                rows.append(row)
            except FlyweightError:
                rows.append("refused")
                begin += 1
    return rows


def simply(data: bytes) -> Rows:
    """Read all rows from their first line to their last, again and again."""
    *lines, last = data.split(b"\n")
    lines += [last] if last else []
    rows: Rows = []
    begin = 0
    while begin < len(lines):
        text = [line.decode("utf-8", "surrogateescape") + "\n" for line in lines[begin:]]
        reader = csv.reader(text, strict=True)
        end = begin + 1
        try:
            row = next(reader)
            whole = b"\n".join(lines[begin : begin + reader.line_num])
            whole.decode()
            if reader.line_num > 1 and len(whole) + 1 > ROW:
                raise ValueError
            rows.append(row)
            end = begin + reader.line_num
        except (csv.Error, ValueError):
            rows.append("refused")
        begin = end
    return rows


PIECES = ['"', '""', '"""', ",", "a", "bb", "\n", '\n","', '","\n', '"\n', '\n"', "é", "x" * 30]
DATA = st.lists(st.sampled_from([piece.encode() for piece in PIECES] + [b"\xff"]), max_size=60).map(b"".join)


@given(DATA, st.sampled_from([1, 2, 5, 100]), st.sampled_from([1, 7, 1000]), st.sampled_from([1, 3, 1 << 16]))
def test_rows_are_those_of_the_simplest_reading(data: bytes, together: int, size: int, kept: int) -> None:
    usual, csv_rows.KEPT_SIZES = csv_rows.KEPT_SIZES, kept
    try:
        assert read(data, together, size) == simply(data)
    finally:
        csv_rows.KEPT_SIZES = usual


LINES = {
    "closed and opened in each line": b'x""","z\n',
    "opened in each line": b'"a\n',
    "a fault in each line": b'"a"b,"c\n',
    "not UTF-8": b'x""","\xff\n',
    "opened at the end": b',,"\n',
    "a quote alone": b'"\n',
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("end", [b"", b'"', b'"' + b"a" * 50_000])
def test_four_times_the_lines_take_about_four_times_the_time(line: bytes, end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "MAX_ROW", 1 << 20)

    def took(count: int) -> float:
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            read(line * count + end, 100, 1 << 20)
            best = min(best, time.process_time() - began)
        return best

    assert took(4000) < 10 * (took(1000) + 0.001)


def test_a_batch_takes_no_lines_that_its_last_row_does_not_end_in() -> None:
    source = Lines([b'"a\nb\nc\nd\n'], {})
    lines = source.take(1, 100)
    with pytest.raises(MalformedRequest, match="unexpected end of data"):
        RowReader(source).read(lines, 0, 1)
    assert lines == [b'"a'] and source.next() == b"b"


def test_a_row_is_refused_for_a_line_that_is_too_long() -> None:
    long = TruncatedLine(b"long")
    long.size = 1 << 21
    source = Lines([], {})
    with pytest.raises(TooLarge, match="2097152 bytes"):
        RowReader(source).read([b'"a', long, b'b"'], 0, 1)
    with pytest.raises(TooLarge, match="2097152 bytes"):
        RowReader(source).read([long], 0, 1)


def test_lines_are_looked_at_without_being_taken() -> None:
    source = Lines(chunks(b"a\nbb\nccc\ndddd", 2), {})
    assert [source.peek(place) for place in (2, 0, 3, 4, 100)] == [b"ccc", b"a", b"dddd", None, None]
    assert (source.next(), source.peek(0), source.offset, source.line) == (b"a", b"bb", 2, 2)
    assert [source.next() for _ in range(4)] == [b"bb", b"ccc", b"dddd", None]


@pytest.mark.parametrize("data", [b"a,b\r1,2\r", b'a,b\n"1\n",2\r3,4\n'])
def test_lines_that_a_carriage_return_ends_are_refused_in_words(data: bytes) -> None:
    source = Lines([data], {})
    reader = RowReader(source)
    with pytest.raises(MalformedRequest, match="a carriage return ends a line without a line feed; write line ends as"):
        while lines := source.take(1, 1):
            reader.read(lines, 0, 1)
