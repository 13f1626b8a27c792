"""Read a stretch of a file in blocks of rows, as record batches of Arrow or as rows of Python's values."""

# imports late: pyarrow

import csv
import io
from contextlib import contextmanager
from itertools import chain, islice

from flyweight.arrow.scorer import WrongScorer, check_once
from flyweight.errors import InvalidInput, MalformedRequest, UnsupportedMediaType
from flyweight.files.csv import csv_batches, read_header
from flyweight.files.csv_rows import RowReader
from flyweight.files.jsonl import jsonl_batches
from flyweight.files.lines import Lines, as_text
from flyweight.files.reader import File
from flyweight.formats.compression import plain
from flyweight.formats.parquet import RangeFile
from flyweight.jobs.csv_tables import TableParser
from flyweight.models.tables import TEXTS
from flyweight.stores import stream
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from flyweight.formats.batches import Batch
    from flyweight.models.validation import Validator

BLOCK_BYTES = 1 << 20  # of text that are parsed at once
BLOCK_ROWS = 8192  # of a table that are read at once
WHOLE = -1  # the end of a stretch that ends with the file


class Block(Value):
    """Some rows of a file: a record batch of the features, or rows of Python's values."""

    table: "Any | None"
    rows: "list[dict[str, Any]]"  # empty if there is a table
    kept: "list[Any]"  # for each column that is kept its values, a list or an array
    faults: "dict[int, str]"  # by the row, why it could not be read; such a row of `rows` is {}
    numbers: "Sequence[int]"  # for each row its number in the stretch, from 1; of a text format that of its line


class Stretch(Value):
    """A part of a file. `begin` and `end` count bytes of a text and rows of others; it has the rows that begin in it."""

    file: File
    form: str
    compression: str
    begin: int
    end: int
    exact: bool  # whether a row begins at `begin`; if not, the first row is the one after the next line end

    def chunks(self, start: int) -> "Iterator[bytes]":
        """Read plain bytes of a text from an offset on; a compressed one has only the offset 0."""
        return plain(stream(self.file.store, self.file.key, self.file.meta, start), self.compression)

    def limit(self) -> int:
        """Get the end, or a number beyond all ends."""
        return 1 << 62 if self.end == WHOLE else self.end


class TextBlocks:
    """The blocks of a stretch of CSV or JSON lines; after the last one `next` is where the following row begins."""

    def __init__(self, stretch: Stretch, validator: "Validator", keep: "Sequence[str]", by_arrow: bool) -> None:
        """Find the first row.

        :param validator: of the model; it ignores columns that are no features.
        :param keep: the names of columns whose values are passed on.
        :param by_arrow: whether pyarrow is installed.
        :raises MalformedRequest: the file is not CSV.
        :raises WrongScorer: a column that is to be kept is not there.
        """
        self._stretch, self._validator, self._keep = stretch, validator, keep
        self._columns: list[str] = []
        first = 0
        if stretch.form == "csv":
            lines = Lines(stretch.chunks(0), {})
            self._columns, _ = read_header(lines, RowReader(lines))
            self._places = [_place_of(name, self._columns) for name in keep]
            first = lines.offset
        self.begin, self._line = self._start(first)
        self.next = self.begin
        self._by_arrow = by_arrow

    def _start(self, first: int) -> "tuple[int, int]":
        """Find where the first row begins, and the number of its line.

        :param first: where the first row of the file begins.
        """
        begin = self._stretch.begin
        if begin <= first:
            return first, 2 if first else 1
        if self._stretch.exact:
            return begin, 1
        begin -= 1
        for chunk in self._stretch.chunks(begin):
            place = chunk.find(b"\n")
            if place >= 0:
                return begin + place + 1, 1
            begin += len(chunk)
        return begin, 1

    def __iter__(self) -> "Iterator[Block]":
        chunks = self._stretch.chunks(self.begin if not self._stretch.compression else 0)
        if self._stretch.compression:
            chunks = _skipped(chunks, self.begin)
        return self._json_blocks(chunks) if self._stretch.form == "jsonl" else self._csv_blocks(chunks)

    def _json_blocks(self, chunks: "Iterator[bytes]") -> "Iterator[Block]":
        lines = Lines(chunks, {"offset": self.begin, "line": self._line}, self._stretch.limit())
        for batch in jsonl_batches(lines, self._validator, BLOCK_ROWS, BLOCK_BYTES):
            self.next = batch.after["offset"]
            rows = [row if isinstance(row, dict) else self._named(row) for row in batch.instances]
            kept = [[row.get(name) if isinstance(row, dict) else None for row in batch.instances] for name in self._keep]
            yield _with_faults(batch, rows, kept)

    def _named(self, row: "Any") -> "dict[str, Any]":
        """Name the values of a row that is a list; one of another width has none, which the signature reports."""
        names = [feature.name for feature in self._validator.features]
        return dict(zip(names, row, strict=False)) if isinstance(row, list) and len(row) == len(names) else {}

    def _csv_blocks(self, chunks: "Iterator[bytes]") -> "Iterator[Block]":
        places = self._validator.places(self._columns)
        features = self._validator.features
        read = [(one, at) for one, at in zip(features, places, strict=True) if at is not None and one.kind != "unread"]
        parser = TableParser(self._columns, read, self._places)
        feed, limit = _Feed(chunks), self._stretch.limit()
        while self.next < limit:
            block = feed.lines(min(BLOCK_BYTES, limit - self.next), limit - self.next <= BLOCK_BYTES)
            if not block:
                return
            parsed = parser.parse(block) if self._by_arrow else None
            if parsed is None:
                end = self.next + len(block)
                yield from self._rows(feed, end)
                continue
            feed.drop(len(block))
            table, kept = parsed
            numbers = range(self._line, self._line + table.num_rows)
            self.next, self._line = self.next + len(block), self._line + table.num_rows
            yield Block(table, [], kept, {}, numbers)

    def _rows(self, feed: "_Feed", end: int) -> "Iterator[Block]":
        """Read rows that begin before an offset by the csv module."""
        begin = self.next
        position = {"offset": begin, "line": self._line, "columns": self._columns}
        for batch in csv_batches(Lines(feed.all(), position, end), self._validator, position, BLOCK_ROWS, BLOCK_BYTES):
            self.next, self._line = batch.after["offset"], batch.after["line"]
            instances = batch.instances if isinstance(batch.instances, list) else batch.instances.tolist()
            for row, instance in batch.exceptions_by_row.items():
                instances[row] = instance
            kept: list[list[Any]] = [[] for _ in self._places]
            for text in batch.texts if self._places else ():
                cells = next(csv.reader(io.StringIO(as_text(text), newline="")))
                for values, place in zip(kept, self._places, strict=True):
                    values.append(cells[place])
            yield _with_faults(batch, [self._named(row) for row in instances], kept)
        feed.drop(self.next - begin)


class _Feed:
    """The bytes of a text: those that are looked at and not dropped yet are in memory."""

    def __init__(self, chunks: "Iterator[bytes]") -> None:
        self._chunks, self._buffer, self._begin = chunks, b"", 0

    def lines(self, size: int, last: bool) -> bytes:
        """Look at whole lines of up to `size` bytes; more if the first line is longer, or if the last one is to begin in them.

        :returns: b"" at the end of the text.
        """
        while len(self._buffer) - self._begin < size and self._fill():
            pass
        cut = 0 if last else self._buffer.rfind(b"\n", self._begin, self._begin + size) + 1
        searched = self._begin + max(size - 1, 0)
        while not cut:
            cut = self._buffer.find(b"\n", searched) + 1
            searched = len(self._buffer) - self._begin
            if not cut and not self._fill():
                cut = len(self._buffer)
                break
            searched += self._begin
        return self._buffer[self._begin : cut]

    def all(self) -> "Iterator[bytes]":
        """Look at everything from the beginning on; what is read stays until it is dropped."""
        yield self._buffer[self._begin :]
        size = len(self._buffer) - self._begin
        while self._fill():
            yield self._buffer[self._begin + size :]
            size = len(self._buffer) - self._begin

    def drop(self, size: int) -> None:
        """Drop bytes at the beginning."""
        self._begin += size

    def _fill(self) -> bool:
        """Read more; what was dropped is forgotten then."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._buffer, self._begin = self._buffer[self._begin :] + chunk, 0
        return True


def table_blocks(stretch: Stretch, names: "Sequence[str]", keep: "Sequence[str]") -> "Iterator[Block]":
    """Read blocks of Parquet or Arrow.

    :param names: the columns of the features; those that are not there are left out.
    :param keep: the columns that are passed on.
    :raises UnsupportedMediaType: pyarrow is not installed.
    :raises MalformedRequest: the file is not what its name says.
    """
    batches = _parquet if stretch.form == "parquet" else _arrow
    begin, left = stretch.begin, stretch.limit() - stretch.begin
    with opening(stretch) as raw:
        for batch in batches(raw, [*dict.fromkeys([*names, *keep])], begin, {*names}.difference(keep)):
            if left <= 0:
                return
            batch.validate(full=True)  # damaged offsets, codes or UTF-8 would end the process, or give wrong answers
            batch = batch.slice(0, min(left, batch.num_rows))
            for start in range(0, batch.num_rows, BLOCK_ROWS):
                piece = batch.slice(start, BLOCK_ROWS)
                numbers = range(begin + 1, begin + 1 + piece.num_rows)
                begin += piece.num_rows
                kept = [piece.column(_place_of(name, piece.schema.names)) for name in keep]
                yield Block(piece, [], kept, {}, numbers)
            left -= batch.num_rows


@contextmanager
def opening(stretch: Stretch) -> "Iterator[RangeFile]":
    """Open a file of Parquet or Arrow for pyarrow, whose errors become ours.

    :raises UnsupportedMediaType: pyarrow is not installed.
    :raises MalformedRequest: the file is not what its name says.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise UnsupportedMediaType("Parquet and Arrow need pyarrow, which is not installed here") from None
    file = stretch.file
    raw = RangeFile(lambda start, size: file.store.read(file.key, file.meta, start, size), file.meta.size)
    try:
        yield raw
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if raw.error is not None:
            raise raw.error from None
        raise MalformedRequest(f"the file is not {stretch.form.capitalize()}: {str(error)[:200]}") from None


def schema_of(stretch: Stretch) -> "Any":
    """Read the schema of a Parquet or Arrow file.

    :raises MalformedRequest: the file is not what its name says.
    """
    with opening(stretch) as raw:
        from pyarrow import parquet

        return parquet.read_schema(raw) if stretch.form == "parquet" else _opened(raw).schema


def _parquet(raw: RangeFile, names: "list[str]", begin: int, coded: "set[str]") -> "Iterator[Any]":
    """Read record batches of Parquet from a row on.

    :param coded: the columns whose texts may come as codes of a dictionary.
    """
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(raw, pre_buffer=False)
    if texts := [field.name for field in file.schema_arrow if field.name in coded and str(field.type) in TEXTS]:
        file = ParquetFile(raw, metadata=file.metadata, pre_buffer=False, read_dictionary=texts)
    there = [name for name in names if name in file.schema_arrow.names]
    first, before = 0, 0
    while first < file.num_row_groups and before + file.metadata.row_group(first).num_rows <= begin:
        before += file.metadata.row_group(first).num_rows
        first += 1
    groups = [*range(first, file.num_row_groups)]
    skip = begin - before
    for batch in file.iter_batches(BLOCK_ROWS, groups, there, use_threads=False) if groups else ():
        if skip < batch.num_rows:
            yield batch.slice(skip)
        skip = max(skip - batch.num_rows, 0)


def _arrow(raw: RangeFile, names: "list[str]", begin: int, coded: "set[str]") -> "Iterator[Any]":
    """Read record batches of Arrow from a row on."""
    opened = _opened(raw)
    there = [place for place, name in enumerate(opened.schema.names) if name in names]  # one that is there twice is refused later
    is_file = hasattr(opened, "get_batch")
    batches = map(opened.get_batch, range(opened.num_record_batches)) if is_file else iter(opened)
    for batch in batches:
        if begin < batch.num_rows:
            yield batch.select(there).slice(begin)
        begin = max(begin - batch.num_rows, 0)


def is_stream(raw: RangeFile) -> bool:
    """Tell whether Arrow's bytes are a stream and not a file."""
    raw.seek(0)
    begin = raw.read(6)
    raw.seek(0)
    return begin != b"ARROW1"


def _opened(raw: RangeFile) -> "Any":
    import pyarrow as pa

    return pa.ipc.open_stream(raw) if is_stream(raw) else pa.ipc.open_file(raw)


def _place_of(name: str, columns: "Sequence[str]") -> int:
    if name not in columns:
        raise WrongScorer(f"there is no column {name!r}, which is to be kept; the columns are {', '.join(columns)}"[:600])
    check_once(name, columns)
    return [*columns].index(name)


def _with_faults(batch: "Batch", rows: "list[dict[str, Any]]", kept: "list[list[Any]]") -> Block:
    """Put rows that could not be read among the others, in the order of their lines."""
    if not batch.faults:
        return Block(None, rows, kept, {}, batch.lines)
    known = dict(zip(batch.lines, range(len(rows)), strict=True))
    reasons = {number: _reason(error) for number, error, _ in batch.faults}
    numbers = sorted([*known, *reasons])
    places = [known.get(number) for number in numbers]
    faults = {row: reasons[number] for row, number in enumerate(numbers) if number in reasons}
    spread = [[None if at is None else values[at] for at in places] for values in kept]
    return Block(None, [{} if at is None else rows[at] for at in places], spread, faults, numbers)


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidInput):
        return "; ".join([str(fault._replace(instance=None, line=None)) for fault in error.faults])
    return str(error)


def _skipped(chunks: "Iterator[bytes]", size: int) -> "Iterator[bytes]":
    """Skip bytes at the beginning, the header of a compressed file."""
    first = b""
    while len(first) < size and (chunk := next(chunks, None)) is not None:
        first += chunk
    return chain([first[size:]], islice(chunks, None))
