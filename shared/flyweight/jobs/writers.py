"""Write answers in the format of the file that they answer: the columns that are kept, the outputs, and the reason of a fault."""

# imports late: compression, pyarrow, zstandard

import csv
import io
from itertools import chain

from flyweight import strict_json
from flyweight.arrow.buffers import to_arrow, to_numpy
from flyweight.errors import UnsupportedMediaType
from flyweight.formats.json import FIELDS, RECORD_FIELDS
from flyweight.jobs.blocks import is_stream, opening, schema_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from flyweight.jobs.blocks import Stretch
    from flyweight.predictor import Predictor

LEVEL = 1  # of gzip


class TextWriter:
    """Writes rows of CSV or JSON lines, each block by itself, so that blocks may be written apart and joined.

    :param names: the columns that are kept, then the outputs, then `error` if faults have a column.
    """

    def __init__(self, model: "Predictor", form: str, compression: str, keep: "Sequence[str]", names: "Sequence[str]") -> None:
        self._form, self._keep, self._names = form, keep, [*names]
        self._pack = PACKERS[compression]()
        self._parts = _parts_of(model, names) if form == "csv" else {}

    def header(self) -> bytes:
        """Write what stands before the first row."""
        if self._form == "jsonl":
            return b""
        titles = chain(self._keep, *[self._titles(name) for name in self._names])
        return self._pack(_line([*titles]))

    def write(self, kept: "list[Any]", answers: "Any") -> bytes:
        """Write a block.

        :param kept: the values of each column that is kept, a list or an array.
        :param answers: a record batch, or rows of Python's values.
        """
        if self._form == "jsonl":
            return self._pack(self._json(kept, answers))
        if hasattr(answers, "num_rows"):
            return self._pack(self._by_arrow(kept, answers))
        rows = [[cell for name in self._names for cell in self._cells(name, answer[name])] for answer in answers]
        return self._pack(_line(*[[*before, *row] for before, row in zip(_rows(kept, len(rows)), rows, strict=True)]))

    def _json(self, kept: "list[Any]", answers: "Any") -> bytes:
        rows = answers.to_pylist() if hasattr(answers, "num_rows") else answers
        names, encode = self._names, strict_json.encode
        found = zip(_rows(kept, len(rows)), rows, strict=True)
        lines = [encode({**dict(zip(self._keep, own, strict=True)), **{name: row[name] for name in names}}) for own, row in found]
        return b"\n".join([*lines, b""])

    def _by_arrow(self, kept: "list[Any]", answers: "Any") -> bytes:
        import pyarrow as pa

        columns = [values if isinstance(values, pa.Array) else pa.array(values, pa.string()) for values in kept]
        for name in self._names:
            column = answers.column(name)
            if name in self._parts:
                columns += map(_finite, _spread(column, len(self._parts[name])))
            elif pa.types.is_list(column.type):
                columns.append(pa.array([_json(value) for value in column.to_pylist()], pa.string()))
            else:
                columns.append(_finite(column))
        batch = pa.RecordBatch.from_arrays(columns, names=[str(place) for place in range(len(columns))])
        return _csv_of(batch)

    def _titles(self, name: str) -> "list[str]":
        return [f"{SINGULAR.get(name, name)}_{part}" for part in self._parts[name]] if name in self._parts else [name]

    def _cells(self, name: str, value: "Any") -> "list[Any]":
        if name in self._parts:
            return value if value is not None else [None] * len(self._parts[name])
        return [_json(value) if isinstance(value, list) else value]


SINGULAR = {"probabilities": "probability", "scores": "score"}


class TableWriter:
    """Writes record batches as Parquet or Arrow."""

    def __init__(self, stretch: "Stretch", fields: "Any") -> None:
        """Choose the form.

        :param fields: makes the schema of the answers from that of the file.
        """
        self._form = stretch.form
        self.schema = fields(schema_of(stretch))
        with opening(stretch) as raw:
            self._stream = self._form == "arrow" and is_stream(raw)

    def write(self, batches: "Iterable[Any]") -> "Iterator[bytes]":
        """Write a file, piece by piece."""
        import pyarrow as pa
        from pyarrow import parquet

        sink = _Sink()
        if self._form == "parquet":
            # numbers have few repetitions, and looking for them takes longer than all else
            texts = [field.name for field in self.schema if pa.types.is_string(field.type)]
            writer: Any = parquet.ParquetWriter(sink, self.schema, use_dictionary=texts or False)
        else:
            writer = (pa.ipc.new_stream if self._stream else pa.ipc.new_file)(sink, self.schema)
        with writer:
            waiting: list[Any] = []
            for batch in batches:
                waiting.append(batch)
                if sum([one.num_rows for one in waiting]) >= GROUP_ROWS:
                    writer.write_table(pa.Table.from_batches(waiting, self.schema))
                    waiting = []
                yield from sink.taken()
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, self.schema))
        yield from sink.taken()


GROUP_ROWS = 1 << 17  # of one row group of Parquet


class _Sink(io.RawIOBase):
    """A file for writing that hands on what was written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: "Any") -> int:
        self._written.append(bytes(data))
        self._size += len(self._written[-1])
        return len(self._written[-1])

    def taken(self) -> "list[bytes]":
        """Take what was written since the last call."""
        taken, self._written = self._written, []
        return taken


def _parts_of(model: "Predictor", names: "Sequence[str]") -> "dict[str, list[Any]]":
    """Name the numbers of each output that is a list, where the model's own sample or its classes tell how many there are."""
    outputs = [field for field in FIELDS[:-1] if RECORD_FIELDS[field] in names]
    classes = model.signature.classes
    labels = classes[0] if classes is not None and len(classes) == 1 else None
    sample = (model.file.document.get("sample") or {}).get("instances")
    if not sample:
        return {"probabilities": labels} if labels and "probabilities" in names else {}
    found = model.predict(sample[:1], outputs)
    parts: dict[str, list[Any]] = {}
    for field in outputs:
        value = (getattr(found, field) or [None])[0]
        if isinstance(value, list) and not any(isinstance(one, list) for one in value):
            parts[RECORD_FIELDS[field]] = labels if labels and len(labels) == len(value) else [*range(len(value))]
    return parts


def _csv_of(batch: "Any") -> bytes:
    """Write a record batch as CSV without a header; texts have quotes only where one of the block needs them."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    for style in ("none", "needed"):
        sink = pa.BufferOutputStream()
        try:
            arrow_csv.write_csv(batch, sink, arrow_csv.WriteOptions(include_header=False, quoting_style=style))
        except pa.ArrowInvalid:
            continue
        return bytes(sink.getvalue())
    raise AssertionError("pyarrow puts every text in quotes")


def _spread(column: "Any", width: int) -> "list[Any]":
    """Split a column of lists of one length into a column for each place."""
    import pyarrow.compute as pc

    values = None if column.null_count else to_numpy(column.flatten())
    if values is None:
        return [pc.list_element(column, place) for place in range(width)]
    return [*map(to_arrow, values.reshape(-1, width).T)]


def _finite(column: "Any") -> "Any":
    """Replace numbers that are not finite by nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type) or pc.all(pc.is_finite(column)).as_py() is not False:
        return column
    return pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))


def _line(*rows: "list[Any]") -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue().encode("utf-8", "replace")


def _json(value: "Any") -> "str | None":
    return None if value is None else strict_json.encode(value).decode()


def _rows(kept: "list[Any]", count: int) -> "Iterable[tuple[Any, ...]]":
    """Make rows of the columns that are kept."""
    lists = [values if isinstance(values, list) else values.to_pylist() for values in kept]
    return zip(*lists, strict=True) if lists else [()] * count


def _gzip() -> "Callable[[bytes], bytes]":
    import gzip

    return lambda data: gzip.compress(data, LEVEL, mtime=0)


def _zstd() -> "Callable[[bytes], bytes]":
    """Find a compressor of zstd.

    :raises UnsupportedMediaType: no library for it is installed.
    """
    try:
        from compression import zstd
    except ImportError:
        try:
            import zstandard as zstd
        except ImportError:
            raise UnsupportedMediaType("zstd needs Python 3.14 or zstandard, which is not installed here") from None
    compress: Callable[[bytes], bytes] = zstd.compress
    return compress


PACKERS: "dict[str, Callable[[], Callable[[bytes], bytes]]]" = {"": lambda: bytes, "gzip": _gzip, "zstd": _zstd}
