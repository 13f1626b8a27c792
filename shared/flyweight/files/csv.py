"""Read CSV in batches; a quoted value may hold line ends, even at the end of a chunk or a batch."""

import csv
from math import isnan, nan

from flyweight.errors import FlyweightError, MalformedRequest
from flyweight.files.csv_numbers import NumberParser, is_number, spread_rows
from flyweight.files.csv_rows import RowReader
from flyweight.files.lines import Lines, TruncatedLine, as_text
from flyweight.formats.batches import Batch
from flyweight.models.tables import Columns
from flyweight.models.texts import value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.formats.batches import Fault, Position
    from flyweight.models.signature import Feature
    from flyweight.models.validation import Validator

    Row = list[str]

MAX_EXCEPTIONS = 0.25  # the share of a batch's lines; if more are not plain numbers, all lines are read by the csv module


def csv_batches(source: Lines, validator: "Validator", position: "Position", rows: int, size: int) -> "Iterator[Batch]":
    """Read batches of instances from CSV with a header, in the signature's order.

    :param validator: of the model that the rows are for.
    :param position: where the first batch begins.
    :param rows: how many lines a batch has at most; more if its last row is continued.
    :param size: how many bytes a batch has at most, not counting its last row.
    :raises MalformedRequest: the header is missing, is not CSV, or has a name twice.
    :raises InvalidInput: the columns are not the features of the signature.
    """
    reader = RowReader(source)
    columns, line = position.get("columns"), None
    if not columns:
        columns, line = read_header(source, reader)
    read = [*zip(validator.features, validator.places(columns, line), strict=True)]
    numeric = _number_parser(read, len(columns))
    while True:
        first = source.line
        lines = source.take(rows, size)
        if not lines:
            return
        batch = None if numeric is None else _numeric_batch(lines, first, reader, numeric, read)
        if batch is None:
            parsed, batch = _parse_rows(lines, first, reader, len(columns))
            batch = Batch(_columns(parsed, read) if parsed else [], batch.lines, batch.texts, batch.faults, {}, {})
        after = {"offset": source.offset, "line": source.line, "columns": columns}
        yield Batch(batch.instances, batch.lines, batch.texts, batch.faults, after, batch.exceptions_by_row)


def _number_parser(read: "list[tuple[Feature, int | None]]", width: int) -> "NumberParser | None":
    """Make the parser of rows whose values are all numbers; None if they are not, or if their missing words differ."""
    missing = {feature.missing for feature, _ in read if feature.kind == "number"}
    if len(missing) != 1 or not {feature.kind for feature, _ in read} <= {"number", "unread"}:
        return None
    return NumberParser(width, [place if feature.kind == "number" else None for feature, place in read], missing.pop())


def _numeric_batch(
    lines: "list[bytes]", first: int, reader: RowReader, parser: NumberParser, read: "list[tuple[Feature, int | None]]"
) -> "Batch | None":
    """Read lines as one array of numbers; a few lines that are not plain numbers are read one by one.

    :param first: the number of the first line.
    :param read: each feature and its column.
    :returns: None if too many lines are not plain numbers.
    """
    table = parser.parse(lines)
    if table is not None:
        return Batch(table, [*range(first, first + len(lines))], lines, [], {}, {})
    plain, others = parser.split(lines)
    # after a quote a row may continue in the next line
    if not others or len(others) > MAX_EXCEPTIONS * len(lines) or any([b'"' in line for line in lines]):
        return None
    table = parser.parse([lines[place] for place in plain])
    if table is None:
        return None
    faults: list[Fault] = []
    exceptions: dict[int, list[Any]] = {}
    for place in others:
        rows, batch = _parse_rows([lines[place]], first + place, reader, parser.width)
        faults += batch.faults
        exceptions.update([(place, [None if at is None else value_of(row[at], one) for one, at in read]) for row in rows])
    valid = sorted([*plain, *exceptions])
    by_row = {row: exceptions[place] for row, place in enumerate(valid) if place in exceptions}
    whole = spread_rows(table, [place not in exceptions for place in valid])
    return Batch(whole, [first + place for place in valid], [lines[place] for place in valid], faults, {}, by_row)


def _columns(rows: "list[Row]", read: "list[tuple[Feature, int | None]]") -> Columns:
    """Convert rows of texts to the columns of the features; a column that nothing reads has no values."""
    texts = [*zip(*rows, strict=True)]
    nothing: list[Any] = [None] * len(rows)
    values = [nothing if at is None or feature.kind == "unread" else _values(texts[at], feature) for feature, at in read]
    return Columns([feature.name for feature, _ in read], values)


def read_header(source: Lines, reader: RowReader) -> "tuple[Row, int]":
    """Read the column names from the first row that is not empty, and the number of its line.

    :raises MalformedRequest: there is no such row, or it is not CSV.
    """
    while True:
        line = source.line
        lines = source.take(1, 1)
        if not lines:
            raise MalformedRequest("the file is empty; expected a header")
        row, _ = reader.read(lines, 0, line)
        if row:
            return row, line


def _parse_rows(lines: "list[bytes]", first: int, reader: RowReader, width: int) -> "tuple[list[Row], Batch]":
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
            row, end = reader.read(lines, begin, first + begin)
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


def _values(texts: "tuple[str, ...]", feature: "Feature") -> "list[Any]":
    """Convert the texts of one column as `value_of` does; a missing number becomes NaN."""
    missing = feature.missing
    plain = (joined := "".join(texts)).isascii() and "_" not in joined
    if feature.kind == "number" and plain and not any(map(is_number, missing)):
        absent = 0 if missing.isdisjoint(texts) else sum([text in missing for text in texts])
        try:
            numbers = [nan if text in missing else float(text) for text in texts] if absent else [*map(float, texts)]
        except ValueError:
            pass
        else:
            if sum(map(isnan, numbers)) == absent:  # else `float` read a word for NaN that does not mean missing here
                return numbers
    by_text = {text: value_of(text, feature) for text in {*texts}}  # most columns of words and flags have few different texts
    return [*map(by_text.__getitem__, texts)]
