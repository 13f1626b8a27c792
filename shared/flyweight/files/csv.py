"""Read CSV in batches; a quoted value may hold line ends, even where a chunk or a batch ends."""

import csv
from math import nan

from flyweight.errors import FlyweightError, MalformedRequest
from flyweight.files.batches import Batch, order_of
from flyweight.files.csv_numbers import numbers, plain_lines, spread
from flyweight.files.lines import MAX_ROW, Lines, TruncatedLine, as_text, check_size, decoded
from flyweight.formats.csv import MISSING, value_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.files.batches import Fault, Position
    from flyweight.models.signature import Feature

    Record = list[str]

FEW = 0.25  # of a batch's lines; with more of them that are no numbers all are read alike


class _Names(list):  # type: ignore[type-arg]
    def tolist(self) -> "list[str]":
        """List the names, like pandas' `Index.tolist`."""
        return [*self]


class Columns:
    """A batch stored by column. Rows are built only when a caller iterates."""

    def __init__(self, names: "list[str]", values: "list[list[Any]]") -> None:
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
        batch = _all_numbers(taken, number, lines, len(columns), places) if plain else None
        if batch is None:
            records, batch = _records(taken, number, lines, len(columns))
            by_column = [*zip(*records, strict=True)]
            values = [_values(by_column[place], feature.kind) for place, feature in order] if records else []
            instances: Any = Columns([feature.name for feature in features], values) if records else []
            batch = Batch(instances, batch.lines, batch.texts, batch.faults, {}, {})
        after = {"offset": lines.offset, "line": lines.line, "columns": columns}
        yield Batch(batch.instances, batch.lines, batch.texts, batch.faults, after, batch.exceptions_by_row)


def _all_numbers(taken: "list[bytes]", number: int, lines: Lines, width: int, places: "list[int]") -> "Batch | None":
    """The batch as one array of numbers, but for a few lines that are none and are read alone; None where that can't be."""
    table = numbers(taken, width, places)
    if table is not None:
        return Batch(table, [*range(number, number + len(taken))], taken, [], {}, {})
    good, others = plain_lines(taken, width)
    if not others or len(others) > FEW * len(taken) or any([b'"' in line for line in taken]):  # a row may go on behind a quote
        return None
    table = numbers([taken[line] for line in good], width, places)
    if table is None:
        return None
    faults: list[Fault] = []
    read: dict[int, list[Any]] = {}
    for line in others:
        records, batch = _records([taken[line]], number + line, lines, width)
        faults += batch.faults
        read.update([(line, [value_of(record[place], "number") for place in places]) for record in records])
    kept = sorted([*good, *read])
    odd = {place: read[line] for place, line in enumerate(kept) if line in read}
    whole = spread(table, [line not in read for line in kept])
    return Batch(whole, [number + line for line in kept], [taken[line] for line in kept], faults, {}, odd)


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
        if len(records) == len(taken) and {*map(len, records)} == {width} and TruncatedLine not in {*map(type, taken)}:
            return records, Batch([], [*range(number, number + len(taken))], taken, [], {}, {})
    except (csv.Error, UnicodeDecodeError):
        pass
    records, batch = [], Batch([], [], [], [], {}, {})
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
    known = {text: value_of(text, kind) for text in {*texts}}  # most columns of words and flags have few
    return [*map(known.__getitem__, texts)]
