"""Read a Parquet file in batches, a row group at a time, with pyarrow if it is installed."""

# imports late: pyarrow

import io
from itertools import chain, islice, repeat

from flyweight.errors import MAX_FAULTS, Fault, FlyweightError, InvalidInput, MalformedRequest, TooLarge, UnsupportedMediaType
from flyweight.formats.batches import Batch
from flyweight.formats.parquet_pages import LENGTHS, REPEATING, Column, check_pages, columns_of
from flyweight.models.datetimes import LIMIT, iso
from flyweight.models.names import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from flyweight.formats.batches import Position
    from flyweight.models.signature import Feature
    from flyweight.models.validation import Validator

READ_AHEAD = 1 << 20  # bytes that are read at least at a time
TEXTS = ("string", "datetime")  # the kinds of features that take texts
FEW = 16  # rows
INDEX = "__index_level_"  # how pandas names the column of an index without a name: it is not one of the table
ROWS = 1000  # of a body that are made at a time
PAGE = 4 << 20  # bytes to which a page of a body may unpack, or 25 times its own


def parquet_batches(
    read: "Callable[[int, int], bytes]",
    length: int,
    validator: "Validator",
    position: "Position",
    rows: int,
    page_bytes: int = 0,
) -> "Iterator[Batch]":
    """Read batches of instances in the signature's order; a row's line is its number, from 1.

    A row group is read from its start; the batches before the position are skipped.

    :param read: `read(start, size)` gets bytes of the file.
    :param length: of the file, in bytes.
    :param validator: of the model that the rows are for.
    :param position: where the first batch begins.
    :param rows: how many rows a batch has at most.
    :param page_bytes: to which a small page may unpack; 0 for what files may have.
    :raises UnsupportedMediaType: pyarrow is not installed.
    :raises MalformedRequest: the file is not Parquet.
    :raises InvalidInput: the columns are not the features of the signature, or hold values of another kind.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise UnsupportedMediaType("Parquet needs pyarrow, which is not installed here") from None
    raw = RangeFile(read, length, page_bytes)
    try:
        file = ParquetFile(raw, pre_buffer=False)
        # as a text and its places: one text of a megabyte in a few bytes may be that of all rows
        texts = {feature.name for feature in validator.features if feature.kind in TEXTS}
        dictionaries = {name for name in file.schema_arrow.names if name in texts or name.strip() in texts}
        groups = columns_of(raw.footer())
        dictionaries -= _having(groups, dictionaries, (LENGTHS, REPEATING))
        file = ParquetFile(raw, metadata=file.metadata, pre_buffer=False, read_dictionary=sorted(dictionaries))
        yield from _batches(file, raw, groups, validator, position, rows)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        if raw.error is not None:
            raise raw.error from None
        raise MalformedRequest(f"the file is not Parquet: {str(error)[:200]}") from None


def parse(body: bytes, validator: "Validator") -> "list[list[Any]]":
    """Parse a Parquet file that is the body of a request.

    :returns: instances in the order of the features; they are not validated yet.
    :raises TooLarge: the body or what it holds is over the limits.
    :raises FlyweightError: as `parquet_batches`.
    """
    limits, instances = validator.limits, []
    if len(body) > limits.max_body_bytes:
        raise TooLarge(f"the body has {len(body)} bytes, the limit is {limits.max_body_bytes}")
    batches = parquet_batches(lambda start, size: body[start : start + size], len(body), validator, {}, ROWS, PAGE)
    for batch in batches:
        instances += batch.instances
        if len(instances) > limits.max_instances:
            raise TooLarge(f"the body has more than {limits.max_instances} instances, which is the limit")
    return instances


def _batches(
    file: "Any", raw: "RangeFile", groups: "list[list[Column]]", validator: "Validator", position: "Position", rows: int
) -> "Iterator[Batch]":
    """Read batches of an open file; as `parquet_batches`.

    :param groups: the columns of each row group.
    """
    schema, features = file.schema_arrow, validator.features
    names = [name for name in schema.names if not name.startswith(INDEX)]
    found = zip(features, validator.places(names), strict=True)
    read = [(feature, names[at]) for feature, at in found if at is not None and feature.kind != "unread"]
    _check_types(schema, read)
    wanted = {name for _, name in read}
    # each text of these may repeat the one before it, so that few are unpacked at once, and only what a text may have is kept
    together = max(rows // FEW, 1) if _having(groups, wanted, [REPEATING]) else 1
    longest = validator.limits.max_string_length + 1 if together > 1 else 0
    line = position.get("line", 1)
    for group in range(position.get("group", 0), min(file.num_row_groups, len(groups))):
        done = position.get("done", 0) if group == position.get("group") else 0
        raw.columns = {column.start: column.size for column in groups[group] if column.name in wanted}
        pieces = file.iter_batches(rows // together, [group], [name for _, name in read], use_threads=False)
        pieces = islice(pieces, done * together, None)
        while batch := [*islice(map(_columns, pieces, repeat(read), repeat(longest)), together)]:
            done += 1
            instances = [*chain.from_iterable([_rows(piece, count, features) for piece, count in batch])]
            lines = [*range(line, line + len(instances))]
            line += len(instances)
            yield Batch(instances, lines, [], [], {"group": group, "done": done, "line": line}, {})


def _columns(batch: "Any", read: "list[tuple[Feature, str]]", longest: int) -> "tuple[dict[str, list[Any]], int]":
    """List the values of each feature, and count the rows.

    :param longest: the characters of a text that are kept; 0 keeps all.
    """
    place_of = {name: place for place, name in enumerate(batch.schema.names)}
    columns = {feature.name: _values(batch.column(place_of[name]), feature) for feature, name in read}
    for feature, _ in read if longest else ():
        if feature.kind in TEXTS:
            columns[feature.name] = [value and value[:longest] for value in columns[feature.name]]
    return columns, batch.num_rows


def _rows(columns: "dict[str, list[Any]]", count: int, features: "list[Feature]") -> "list[list[Any]]":
    """Make rows in the order of the features; a feature that is not read is null."""
    nothing = [None] * count
    return [*map(list, zip(*[columns.get(feature.name, nothing) for feature in features], strict=True))]


def _having(groups: "list[list[Column]]", names: "Collection[str]", encodings: "Collection[int]") -> "set[str]":
    """Find the columns of those names that have one of these encodings in any row group."""
    return {
        column.name
        for columns in groups
        for column in columns
        if column.name in names and not {*encodings}.isdisjoint(column.encodings)
    }


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
        used = column.indices.unique()
        values = dict(zip(used.to_pylist(), _values(column.dictionary.take(used), feature), strict=True))
        return [values[index] for index in column.indices.to_pylist()]
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


class RangeFile(io.RawIOBase):
    """A file that gets its bytes by a function; `error` is what that function raised."""

    def __init__(self, read: "Callable[[int, int], bytes]", length: int, page_bytes: int = 0) -> None:
        self._read, self._length, self._page_bytes = read, length, page_bytes
        self._place, self._start, self._data = 0, 0, b""
        self.columns: dict[int, int] = {}  # those that are read now: from where each begins to its bytes
        self.error: Exception | None = None

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it has places."""
        return True

    def tell(self) -> int:
        """Get the place of the next byte."""
        return self._place

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._place = offset + (0, self._place, self._length)[whence]
        return self._place

    def readinto(self, buffer: "Any") -> int:
        """Read into a buffer."""
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
        data = self._data[begin : begin + size]
        length = self.columns.get(self._place, 0)
        if 0 < length <= len(data):
            self._check(data[:length])
        self._place += size
        return data

    def footer(self) -> bytes:
        """Read the footer of a Parquet file, which ends with its length and four letters.

        :raises OSError: the bytes can't be got.
        """
        self.seek(max(self._length - 8, 0))
        size = int.from_bytes(self.read(4), "little")
        self.seek(max(self._length - 8 - size, 0))
        return self.read(size)

    def _check(self, column: bytes) -> None:
        """Check the pages of a column.

        :raises OSError: a page is too large, or no page.
        """
        try:
            check_pages(column, self._page_bytes)
        except FlyweightError as error:
            self.error = error
            raise OSError(str(error)) from None

    def _read_all(self, start: int, size: int) -> bytes:
        """Read `size` bytes, or all up to the end of the file, by as many calls as that takes."""
        pieces: list[bytes] = []
        end = min(start + size, self._length)
        while start < end:
            pieces.append(self._read(start, end - start))
            start += len(pieces[-1])
        return b"".join(pieces)
