"""A file in a store to batches of instances with their line numbers; what is wrong with a row is told beside them.

Where a batch ends depends on the file alone, never on how its bytes came, so that a file that is entered at the start of any
batch gives the same batches from there on.
"""

from flyweight.errors import UnsupportedMediaType
from flyweight.stores import stream
from flyweight.values import Value, frozen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyweight.files.batches import Batch, Position
    from flyweight.models.signature import Feature
    from flyweight.stores import ObjectMeta, Store


FORMS = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}  # by the end of a name
COMPRESSIONS = {"gz": "gzip", "zst": "zstd"}


def form_of(key: str) -> "tuple[str, str]":
    """The form and the compression ("" for none) of a file, by the end of its name.

    :raises UnsupportedMediaType: it says none that is known.
    """
    parts = key.lower().rpartition("/")[2].split(".")
    compression = COMPRESSIONS.get(parts.pop(), "") if parts[-1] in COMPRESSIONS else ""
    form = FORMS.get(parts[-1]) if len(parts) > 1 else None
    if form is None or (form == "parquet" and compression):
        ends = f"{', '.join(f'.{end}' for end in FORMS)}, the text forms with .gz or .zst as well"
        raise UnsupportedMediaType(f"a file's name should end in {ends}; got {key[-100:]!r}")
    return form, compression


@frozen
class File(Value):
    """One version of an object; `check` is called now and then while it is read, and may raise to stop that."""

    store: "Store"
    key: str
    mark: "ObjectMeta"
    check: "Callable[[], None]"

    def batches(self, features: "list[Feature]", position: "Position", rows: int, size: int) -> "Iterator[Batch]":
        """The batches from a position on, of so many rows or bytes each.

        A compressed file is read from its start, and what is before the position passed over.

        :raises UnsupportedMediaType, MalformedRequest, InvalidInput: it is none that has instances for these features.
        """
        form, compression = form_of(self.key)
        if form == "parquet":
            from flyweight.files.parquet import parquet_batches

            return parquet_batches(self._read, self.mark.size, features, position, rows)
        from flyweight.files.lines import Lines

        lines = Lines(self._text(compression, position.get("offset", 0)), position)
        if form == "jsonl":
            from flyweight.files.jsonl import jsonl_batches

            return jsonl_batches(lines, rows, size)
        from flyweight.files.csv import csv_batches

        return csv_batches(lines, features, position, rows, size)

    def _text(self, compression: str, offset: int) -> "Iterator[bytes]":
        if not compression:
            return self._chunks(offset)
        from flyweight.formats.compression import plain

        return _from(plain(self._chunks(0), compression), offset)

    def _chunks(self, start: int) -> "Iterator[bytes]":
        for chunk in stream(self.store, self.key, self.mark, start):
            yield chunk
            self.check()

    def _read(self, start: int, size: int) -> bytes:
        self.check()
        return self.store.read(self.key, self.mark, start, size)


def _from(chunks: "Iterator[bytes]", offset: int) -> "Iterator[bytes]":
    """The chunks from a place on."""
    for chunk in chunks:
        if offset < len(chunk):
            yield chunk[offset:] if offset else chunk
        offset = max(offset - len(chunk), 0)
