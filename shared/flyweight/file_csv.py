"""Lines of CSV to batches of instances; quotes may hold line ends, wherever chunks and batches end."""

import csv
from math import nan

from flyweight.csv_form import MISSING, value_of
from flyweight.errors import FlyweightError, MalformedRequest
from flyweight.file_forms import Batch, order_of
from flyweight.file_lines import MAX_ROW, Lines, Long, as_text, check_size, decoded
from flyweight.file_numbers import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.file_forms import Position
    from flyweight.signature import Feature

    Record = list[str]


def csv_batches(lines: Lines, features: "list[Feature]", position: "Position", rows: int, size: int) -> "Iterator[Batch]":
    """Instances of CSV with a header, in the signature's order.

    :raises MalformedRequest, InvalidInput: the header is none, or has other columns than the signature.
    """
    columns = position.get("columns") or _header(lines)
    order = order_of(columns, features)
    places = [place for place, _ in order]
    plain = all(feature.kind == "number" for feature in features)
    while True:
        number = lines.line
        taken = lines.take(rows, size)
        if not taken:
            return
        if plain and (table := numbers(taken, len(columns), places)) is not None:
            after = {"offset": lines.offset, "line": lines.line, "columns": columns}
            yield Batch(table, [*range(number, number + len(taken))], taken, [], after)
            continue
        records, batch = _records(taken, number, lines, len(columns))
        by_column = [*zip(*records, strict=True)]
        values = [_values(by_column[place], feature.kind) for place, feature in order] if records else []
        after = {"offset": lines.offset, "line": lines.line, "columns": columns}
        yield batch._replace(instances=[*map(list, zip(*values, strict=True))], after=after)  # type: ignore[attr-defined]


def _header(lines: Lines) -> "list[str]":
    while True:
        taken = lines.take(1, 1)
        if not taken:
            raise MalformedRequest("the file is empty; expected a header")
        record, _ = _record(taken, 0, lines)
        if record:
            return [name.strip() for name in record]


def _records(taken: "list[bytes]", number: int, lines: Lines, width: int) -> "tuple[list[Record], Batch]":
    """The rows in lines, and more lines where the last row goes on in them."""
    try:
        records = [*csv.reader(b"\n".join(taken).decode().split("\n"), strict=True)]
        if len(records) == len(taken) and {*map(len, records)} == {width} and Long not in {*map(type, taken)}:
            return records, Batch([], [*range(number, number + len(taken))], taken, [], {})
    except (csv.Error, UnicodeDecodeError):
        pass
    records, batch = [], Batch([], [], [], [], {})
    begin = 0
    while begin < len(taken):
        end = begin
        try:
            record, end = _record(taken, begin, lines)
            if record and len(record) != width:
                raise MalformedRequest(f"the row has {len(record)} values, the header has {width}")
        except FlyweightError as error:
            end = max(end, begin + 1)
            batch.faults.append((number + begin, error, as_text(b"\n".join(taken[begin:end]))))
        else:
            if record:
                records.append(record)
                batch.lines.append(number + begin)
                batch.texts.append(b"\n".join(taken[begin:end]))
        begin = end
    return records, batch


def _record(taken: "list[bytes]", begin: int, lines: Lines) -> "tuple[Record, int]":
    """The row that begins at a line, and where the next one begins.

    A quote that never closes would take all that follows with it: whatever is wrong with a row of several lines, only its first
    is given up, and the rest is read again.

    :raises MalformedRequest, TooLarge: what is wrong with it.
    """
    end = begin

    def following() -> "Iterator[str]":
        nonlocal end
        size = 0
        while True:
            if end == len(taken):
                more = lines.next()
                if more is None:
                    return
                taken.append(more)
            line = taken[end]
            check_size(line)
            size += len(line) + 1
            if size > MAX_ROW:
                raise MalformedRequest("the row is not CSV: a quote does not close")
            end += 1
            yield line.decode("utf-8", "surrogateescape") + "\n"

    try:
        record = next(csv.reader(following(), strict=True))
    except csv.Error as error:
        raise MalformedRequest(f"the row is not CSV: {error}") from None
    decoded(b"\n".join(taken[begin:end]))
    return record, end


def _values(texts: "tuple[str, ...]", kind: str) -> "list[Any]":
    """One column's values, as `value_of` has them; NaN is a missing number."""
    if kind == "number" and "_" not in "".join(texts):
        try:
            return [*map(float, texts)]
        except ValueError:
            pass
        try:
            return [nan if text in MISSING else float(text) for text in texts]
        except ValueError:
            pass
    return [value_of(text, kind) for text in texts]
