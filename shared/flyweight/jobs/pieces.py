"""Cut large files into pieces that several processes score at the same time."""

# imports late: pyarrow

from itertools import pairwise

from flyweight.jobs.blocks import WHOLE, is_stream, opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.formats.parquet import RangeFile
    from flyweight.jobs.blocks import Stretch

PIECE_BYTES = 16 << 20  # of a text
PIECE_ROWS = 1 << 17  # of a table
MIN_BYTES = 8 << 20  # of a file of tables that is looked into


def cut(file: "Stretch") -> "list[tuple[int, int]]":
    """Find where the pieces of a file begin and end: bytes of a text, rows of a table.

    :param file: the whole file.
    :returns: one piece that ends at `WHOLE` for a file that is small, compressed, or a stream.
    :raises MalformedRequest: the file is not what its name says.
    """
    size = file.file.meta.size
    if file.compression or size < MIN_BYTES:
        return [(0, WHOLE)]
    if file.form in ("csv", "jsonl"):
        return _even(0, size, PIECE_BYTES)
    with opening(file) as raw:
        if file.form == "parquet":
            return _joined(_groups(raw))
        return [(0, WHOLE)] if is_stream(raw) else _joined(_batches(raw))


def _groups(raw: "RangeFile") -> "list[int]":
    """List the rows of each row group of Parquet."""
    from pyarrow.parquet import read_metadata

    metadata = read_metadata(raw)
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


def _batches(raw: "RangeFile") -> "list[int]":
    """List the rows of each record batch of an Arrow file."""
    import pyarrow as pa

    opened = pa.ipc.open_file(raw)
    return [opened.get_batch(number).num_rows for number in range(opened.num_record_batches)]


def _joined(counts: "list[int]") -> "list[tuple[int, int]]":
    """Join groups of rows up to the size of a piece, and cut those that are larger."""
    pieces: list[tuple[int, int]] = []
    begin = end = 0
    for count in counts:
        if end > begin and end + count - begin > PIECE_ROWS:
            pieces += _even(begin, end, PIECE_ROWS)
            begin = end
        end += count
    return [*pieces, *_even(begin, end, PIECE_ROWS)] or [(0, WHOLE)]


def _even(begin: int, end: int, size: int) -> "list[tuple[int, int]]":
    """Cut a range into equal pieces of about a size."""
    count = max(1, round((end - begin) / size))
    edges = [begin + (end - begin) * number // count for number in range(count + 1)]
    return [*pairwise(edges)] if end > begin else []
