"""Read CSV in batches; a quoted value may hold line ends, even at the end of a chunk or a batch."""

import csv
from math import nan

from flyweight.errors import FlyweightError, MalformedRequest
from flyweight.files.batches import Batch, order_of
from flyweight.files.csv_numbers import parse_numbers, split_plain, spread_rows
from flyweight.files.lines import MAX_ROW, Lines, TruncatedLine, as_text, check_size, decoded
from flyweight.formats.csv import MISSING, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.files.batches import Fault, Position
    from flyweight.models.signature import Feature

    Row = list[str]

MAX_EXCEPTIONS = 0.25  # the share of a batch's lines; if more are not plain numbers, all lines are read by the csv module


class _Names(list):  # type: ignore[type-arg]
    def tolist(self) -> "list[str]":
        """List the names, like pandas' `Index.tolist`."""
        return [*self]


class Columns:
    """A batch stored by column. Rows are built only when a caller iterates."""

    def __init__(self, names: "list[str]", values: "list[list[Any]]") -> None:
        """Store columns of equal length, of which there is at least one."""
        self._names, self._values = names, values
        self._by_name = dict(zip(names, values, strict=True))

    @property
    def columns(self) -> "_Names":
        """Get the column names."""
        return _Names(self._names)

    def __getitem__(self, name: str) -> "list[Any]":
        return self._by_name[name]

    def __len__(self) -> int:
        return len(self._values[0])

    def __iter__(self) -> "Iterator[list[Any]]":
        return map(list, zip(*self._values, strict=True))

    def tolist(self) -> "list[list[Any]]":
        """List the rows."""
        return [*self]


def csv_batches(source: Lines, features: "list[Feature]", position: "Position", rows: int, size: int) -> "Iterator[Batch]":
    """Read batches of instances from CSV with a header, in the signature's order.

    :param position: where the first batch begins.
    :param rows: how many lines a batch has at most; more if its last row is continued.
    :param size: how many bytes a batch has at most, not counting its last row.
    :raises MalformedRequest: the header is missing, is not CSV, or has a name twice.
    :raises InvalidInput: the columns are not the features of the signature.
    """
    columns = position.get("columns") or _header(source)
    order = order_of(columns, features)
    indices = [index for index, _ in order]
    numeric = all(feature.kind == "number" for feature in features)
    while True:
        first = source.line
        lines = source.take(rows, size)
        if not lines:
            return
        batch = _numeric_batch(lines, first, source, len(columns), indices) if numeric else None
        if batch is None:
            parsed, batch = _parse_rows(lines, first, source, len(columns))
            by_column = [*zip(*parsed, strict=True)]
            values = [_values(by_column[index], feature.kind) for index, feature in order] if parsed else []
            instances: Any = Columns([feature.name for feature in features], values) if parsed else []
            batch = Batch(instances, batch.lines, batch.texts, batch.faults, {}, {})
        after = {"offset": source.offset, "line": source.line, "columns": columns}
        yield Batch(batch.instances, batch.lines, batch.texts, batch.faults, after, batch.exceptions_by_row)


def _numeric_batch(lines: "list[bytes]", first: int, source: Lines, width: int, indices: "list[int]") -> "Batch | None":
    """Read lines as one array of numbers; a few lines that are not plain numbers are read one by one.

    :param first: the number of the first line.
    :param width: how many columns the file has.
    :param indices: the column of each feature.
    :returns: None if too many lines are not plain numbers.
    """
    table = parse_numbers(lines, width, indices)
    if table is not None:
        return Batch(table, [*range(first, first + len(lines))], lines, [], {}, {})
    plain, others = split_plain(lines, width)
    # after a quote a row may continue in the next line
    if not others or len(others) > MAX_EXCEPTIONS * len(lines) or any([b'"' in line for line in lines]):
        return None
    table = parse_numbers([lines[place] for place in plain], width, indices)
    if table is None:
        return None
    faults: list[Fault] = []
    exceptions: dict[int, list[Any]] = {}
    for place in others:
        rows, batch = _parse_rows([lines[place]], first + place, source, width)
        faults += batch.faults
        exceptions.update([(place, [value_of(row[index], "number") for index in indices]) for row in rows])
    valid = sorted([*plain, *exceptions])
    by_row = {row: exceptions[place] for row, place in enumerate(valid) if place in exceptions}
    whole = spread_rows(table, [place not in exceptions for place in valid])
    return Batch(whole, [first + place for place in valid], [lines[place] for place in valid], faults, {}, by_row)


def _header(source: Lines) -> "Row":
    """Read the column names from the first row that is not empty.

    :raises MalformedRequest: there is no such row, or it is not CSV.
    """
    while True:
        lines = source.take(1, 1)
        if not lines:
            raise MalformedRequest("the file is empty; expected a header")
        row, _ = _parse_row(lines, 0, source)
        if row:
            return [name.strip() for name in row]


def _parse_rows(lines: "list[bytes]", first: int, source: Lines, width: int) -> "tuple[list[Row], Batch]":
    """Parse lines, and more lines of the source if the last row continues in them.

    :param first: the number of the first line.
    :returns: the rows, and a batch with their lines, texts and faults, without instances.
    """
    try:
        rows = [*csv.reader(b"\n".join(lines).decode().split("\n"), strict=True)]
        if len(rows) == len(lines) and {*map(len, rows)} == {width} and TruncatedLine not in {*map(type, lines)}:
            return rows, Batch([], [*range(first, first + len(lines))], lines, [], {}, {})
    except (csv.Error, UnicodeDecodeError):
        pass
    rows, batch = [], Batch([], [], [], [], {}, {})
    begin = 0
    while begin < len(lines):
        end = begin
        try:
            row, end = _parse_row(lines, begin, source)
            if row and len(row) != width:
                raise MalformedRequest(f"the row has {len(row)} values, the header has {width}")
        except FlyweightError as error:
            end = max(end, begin + 1)
            batch.faults.append((first + begin, error, as_text(b"\n".join(lines[begin:end]))))
        else:
            if row:
                rows.append(row)
                batch.lines.append(first + begin)
                batch.texts.append(b"\n".join(lines[begin:end]))
        begin = end
    return rows, batch


def _parse_row(lines: "list[bytes]", begin: int, source: Lines) -> "tuple[Row, int]":
    """Parse the row that begins at an index of `lines`; lines that it continues in are added from the source.

    A quote that never closes would swallow all that follows. So if a row of several lines has any fault, only its first line is
    rejected, and the following lines are read again.

    :returns: the row, and the index at which the next one begins.
    :raises MalformedRequest: the row is not CSV, or not UTF-8.
    :raises TooLarge: one of its lines is too long.
    """
    end = begin

    def continued() -> "Iterator[str]":
        nonlocal end
        size = 0
        while True:
            if end == len(lines):
                more = source.next()
                if more is None:
                    return
                lines.append(more)
            line = lines[end]
            check_size(line)
            size += len(line) + 1
            if size > MAX_ROW:
                raise MalformedRequest("the row is not CSV: a quote does not close")
            end += 1
            yield line.decode("utf-8", "surrogateescape") + "\n"

    try:
        row = next(csv.reader(continued(), strict=True))
    except csv.Error as error:
        raise MalformedRequest(f"the row is not CSV: {error}") from None
    decoded(b"\n".join(lines[begin:end]))
    return row, end


def _values(texts: "tuple[str, ...]", kind: str) -> "list[Any]":
    """Convert the texts of one column as `value_of` does; a missing number becomes NaN."""
    if kind == "number" and "_" not in "".join(texts):
        try:
            return [*map(float, texts)]
        except ValueError:
            pass
        try:
            return [nan if text in MISSING else float(text) for text in texts]
        except ValueError:
            pass
    by_text = {text: value_of(text, kind) for text in {*texts}}  # most columns of words and flags have few different texts
    return [*map(by_text.__getitem__, texts)]
