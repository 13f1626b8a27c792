"""Read a file in a store in batches of instances with their line numbers; a row that can't be read becomes a fault of its batch.

Where a batch ends depends on the file alone, not on how its bytes arrive. So a file that is entered at the start of any batch
gives the same batches from there on.
"""

from flyweight.errors import UnsupportedMediaType
from flyweight.stores import stream
from flyweight.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flyweight.formats.batches import Batch, Position
    from flyweight.models.validation import Validator
    from flyweight.stores import ObjectMeta, Store


FORMATS = {"csv": "csv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}  # by a name's extension
COMPRESSIONS = {"gz": "gzip", "zst": "zstd"}


def format_of(key: str) -> "tuple[str, str]":
    """Find the format and the compression of a file by the extensions of its name; "" is no compression.

    :raises UnsupportedMediaType: an extension is missing or not supported.
    """
    parts = key.lower().rpartition("/")[2].split(".")
    compression = COMPRESSIONS.get(parts.pop(), "") if parts[-1] in COMPRESSIONS else ""
    file_format = FORMATS.get(parts[-1]) if len(parts) > 1 else None
    if file_format is None or (file_format == "parquet" and compression):
        extensions = f"{', '.join(f'.{extension}' for extension in FORMATS)}, or in .gz or .zst after one of the text formats"
        raise UnsupportedMediaType(f"a file's name should end in {extensions}; got {key[-100:]!r}")
    return file_format, compression


class File(Value):
    """One version of an object; `check` is called between reads, and may raise to stop reading."""

    store: "Store"
    key: str
    meta: "ObjectMeta"
    check: "Callable[[], None]"

    def batches(self, validator: "Validator", position: "Position", rows: int, size: int) -> "Iterator[Batch]":
        """Read batches from a position on; a compressed file is read from its start, and what precedes the position is skipped.

        :param validator: of the model that the rows are for.
        :param rows: how many rows a batch has at most.
        :param size: how many bytes a batch of a text format has at most, not counting its last row.
        :raises UnsupportedMediaType: the format is not supported, or its library is not installed.
        :raises MalformedRequest: the file is not what its name says.
        :raises InvalidInput: its columns are not the features.
        """
        file_format, compression = format_of(self.key)
        if file_format == "parquet":
            from flyweight.formats.parquet import parquet_batches

            return parquet_batches(self._read, self.meta.size, validator, position, rows)
        return text_batches(self._text(compression, position.get("offset", 0)), file_format, validator, position, rows, size)

    def _text(self, compression: str, offset: int) -> "Iterator[bytes]":
        """Read the plain bytes from an offset on."""
        if not compression:
            return self._chunks(offset)
        from flyweight.formats.compression import plain

        return _skip(plain(self._chunks(0), compression), offset)

    def _chunks(self, start: int) -> "Iterator[bytes]":
        """Read the bytes in the store from `start` on."""
        for chunk in stream(self.store, self.key, self.meta, start):
            yield chunk
            self.check()

    def _read(self, start: int, size: int) -> bytes:
        self.check()
        return self.store.read(self.key, self.meta, start, size)


def text_batches(
    chunks: "Iterator[bytes]", file_format: str, validator: "Validator", position: "Position", rows: int, size: int
) -> "Iterator[Batch]":
    """Read batches of a text format from its plain bytes.

    :param chunks: the bytes from the position on.
    :param file_format: "csv" or "jsonl".
    :raises MalformedRequest: the bytes are not of this format.
    :raises InvalidInput: the columns are not the features.
    """
    from flyweight.files.lines import Lines

    lines = Lines(chunks, position)
    if file_format == "jsonl":
        from flyweight.files.jsonl import jsonl_batches

        return jsonl_batches(lines, validator, rows, size)
    from flyweight.files.csv import csv_batches

    return csv_batches(lines, validator, position, rows, size)


def _skip(chunks: "Iterator[bytes]", size: int) -> "Iterator[bytes]":
    """Skip the first `size` bytes of a stream."""
    for chunk in chunks:
        if size < len(chunk):
            yield chunk[size:] if size else chunk
        size = max(size - len(chunk), 0)
