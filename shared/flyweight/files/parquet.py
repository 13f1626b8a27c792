"""Read a Parquet file in batches, a row group at a time, with pyarrow if it is installed."""

# imports late: pyarrow

import io

from flyweight.errors import Fault, FlyweightError, InvalidInput, MalformedRequest, UnsupportedMediaType
from flyweight.files.batches import Batch
from flyweight.models.datetimes import LIMIT, iso
from flyweight.models.validation import MAX_FAULTS, described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from flyweight.files.batches import Position
    from flyweight.models.signature import Feature
    from flyweight.models.validation import Validator

READ_AHEAD = 1 << 20  # bytes that are read at least at a time


def parquet_batches(
    read: "Callable[[int, int], bytes]", length: int, validator: "Validator", position: "Position", rows: int
) -> "Iterator[Batch]":
    """Read batches of instances in the signature's order; a row's line is its number, from 1.

    A row group is read from its start; the batches before the position are skipped.

    :param read: `read(start, size)` gets bytes of the file.
    :param length: of the file, in bytes.
    :param validator: of the model that the rows are for.
    :param position: where the first batch begins.
    :param rows: how many rows a batch has at most.
    :raises UnsupportedMediaType: pyarrow is not installed.
    :raises MalformedRequest: the file is not Parquet.
    :raises InvalidInput: the columns are not the features of the signature, or hold values of another kind.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UnsupportedMediaType("Parquet needs pyarrow, which is not installed here") from None
    raw = _RangeFile(read, length)
    try:
        yield from _batches(ParquetFile(raw, pre_buffer=False), validator, position, rows)
    except (ArrowException, OSError) as error:
        if raw.error is not None:
            raise raw.error from None
        raise MalformedRequest(f"the file is not Parquet: {str(error)[:200]}") from None


def _batches(file: "Any", validator: "Validator", position: "Position", rows: int) -> "Iterator[Batch]":
    """Read batches of an open file; as `parquet_batches`."""
    schema, features = file.schema_arrow, validator.features
    names = schema.names  # asked once: pyarrow makes the list anew each time
    found = zip(features, validator.places(names), strict=True)
    read = [(feature, names[at]) for feature, at in found if at is not None and feature.kind != "unread"]
    _check_types(schema, read)
    line = position.get("line", 1)
    for group in range(position.get("group", 0), file.num_row_groups):
        done = position.get("done", 0) if group == position.get("group") else 0
        batches = file.iter_batches(rows, [group], [name for _, name in read], use_threads=False)
        for number, batch in enumerate(batches):
            if number < done:
                continue
            place_of, nothing = {name: place for place, name in enumerate(batch.schema.names)}, [None] * batch.num_rows
            columns = {feature.name: _values(batch.column(place_of[name]), feature) for feature, name in read}
            instances = [*map(list, zip(*[columns.get(feature.name, nothing) for feature in features], strict=True))]
            lines = [*range(line, line + len(instances))]
            line += len(instances)
            yield Batch(instances, lines, [], [], {"group": group, "done": number + 1, "line": line}, {})


def _check_types(schema: "Any", read: "list[tuple[Feature, str]]") -> None:
    """Check that each column holds values that its feature takes; nulls and single values are checked row by row.

    :raises InvalidInput: a column holds values of another kind.
    """
    from pyarrow import types

    numbers = (types.is_integer, types.is_floating, types.is_decimal)
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    dates = (types.is_timestamp, types.is_date, *texts)
    takes = {"number": numbers, "boolean": (types.is_boolean, *numbers), "string": texts, "datetime": dates}
    faults = []
    for feature, name in read:
        kind = schema.field(name).type
        values = kind.value_type if types.is_dictionary(kind) else kind
        zone = "none" if getattr(values, "tz", None) is None else "UTC"
        fits = any(check(values) for check in takes[feature.kind]) and (types.is_string(values) or zone == feature.zone)
        if fits or types.is_null(values):
            continue
        faults.append(Fault(described(feature), f"a column of {values}", feature=feature.name))
    if faults:
        raise InvalidInput(*faults[:MAX_FAULTS])


def _values(column: "Any", feature: "Feature") -> "list[Any]":
    """List the values of a column as Python's own."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return _datetimes(column, kind)
    listed: list[Any] = column.to_pylist()
    return listed


def _datetimes(column: "Any", kind: "Any") -> "list[Any]":
    """List timestamps as texts of ISO 8601; by itself pyarrow needs pandas for nanoseconds, and has no year beyond 9999."""
    import pyarrow as pa

    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    zone = "none" if kind.tz is None else "UTC"
    texts: list[Any] = []
    for count in column.cast(pa.int64()).to_pylist():
        number, finer = divmod((count or 0) * 10**6, per_second)
        if count is None:
            texts.append(None)
        elif finer or abs(number) > LIMIT:
            texts.append(f"{count} {kind.unit} since 1970")  # validation names it
        else:
            texts.append(iso(number, zone))
    return texts


class _RangeFile(io.RawIOBase):
    """A file that gets its bytes by a function; `error` is what that function raised."""

    def __init__(self, read: "Callable[[int, int], bytes]", length: int) -> None:
        self._read, self._length = read, length
        self._place, self._start, self._data = 0, 0, b""
        self.error: Exception | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, self._length)[whence]
        return self._place

    def readinto(self, buffer: "Any") -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, or all that are left.

        :raises OSError: the bytes can't be got; pyarrow passes on no other kind of error.
        """
        size = self._length - self._place if size < 0 else max(min(size, self._length - self._place), 0)
        begin = self._place - self._start
        if begin < 0 or begin + size > len(self._data):
            try:
                self._data = self._read_all(self._place, max(size, READ_AHEAD))
            except FlyweightError as error:
                self.error = error
                raise OSError(str(error)) from None
            except Exception as error:
                self.error = error
                raise OSError("stopped") from None
            self._start, begin = self._place, 0
        self._place += size
        return self._data[begin : begin + size]

    def _read_all(self, start: int, size: int) -> bytes:
        """Read `size` bytes, or all up to the end of the file, by as many calls as that takes."""
        pieces: list[bytes] = []
        end = min(start + size, self._length)
        while start < end:
            pieces.append(self._read(start, end - start))
            start += len(pieces[-1])
        return b"".join(pieces)
