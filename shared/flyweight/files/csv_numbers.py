"""Parse CSV lines into one float64 array; None if NumPy is not loaded or a value is not a plain number.

The csv module and `float` accept all that is accepted here, and give the same values: NumPy reads digits by Python's own
function, and pyarrow, which takes a quarter of the time, by a function that finds the same nearest double.
"""

# imports late: numpy, pyarrow

import sys
from itertools import repeat

from flyweight.formats.csv import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# NumPy accepts nan(7), takes a space for -1 in places, and ends at a zero byte; of these letters only "nan" can be spelled
PLAIN = b"0123456789+-.eE,\nnaN"
WORDS = [word.encode() for word in sorted(MISSING) if word and word.lower() != "nan"]  # no parser of numbers accepts them
LETTERS = b"".join(WORDS)
END = 7.0  # put after the last value: NumPy may stop at a text that is no number, and only some versions report it
PYARROW_MIN_BYTES = 16 << 20  # for a smaller file the import of pyarrow, tens of megabytes itself, does not pay


def load_reader(size: int) -> None:
    """Import `pyarrow.csv` if it is installed and the file has 16 MB or more.

    :param size: the file's, in bytes.
    """
    if size >= PYARROW_MIN_BYTES:
        try:
            import pyarrow.csv  # noqa: F401
        except ImportError:
            pass


def parse_numbers(lines: "list[bytes]", width: int, indices: "list[int]") -> "Any | None":
    """Parse lines into an array of shape (lines, indices); NaN for an empty value or a word that means missing.

    :param width: how many values each line must have.
    :param indices: the columns to return.
    :returns: None if NumPy is not loaded, or a value is not a plain number.
    """
    if "numpy" not in sys.modules or {*map(type, lines)} != {bytes}:  # or a line is truncated
        return None
    if {*map(bytes.count, lines, repeat(b","))} != {width - 1} or (width == 1 and not all(lines)):
        return None
    text = b"".join((b"\n".join(lines), b"\n"))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    letters = text.translate(None, PLAIN)
    if letters and letters.translate(None, LETTERS):
        return None
    table = _by_pyarrow(text, width) if "pyarrow.csv" in sys.modules else _by_numpy(text, width, bool(letters))
    if table is None or len(table) != len(lines):
        return None
    import numpy as np

    return table if indices == [*range(width)] else np.ascontiguousarray(table[:, indices])


def split_plain(lines: "list[bytes]", width: int) -> "tuple[list[int], list[int]]":
    """Split lines into those that look like `width` plain numbers and the others.

    :returns: the indices of the plain lines, and those of the others.
    """
    plain: list[int] = []
    others: list[int] = []
    for index, line in enumerate(lines):
        whole = type(line) is bytes and line.count(b",") == width - 1
        is_plain = whole and not line.rstrip(b"\r").translate(None, PLAIN + LETTERS)
        (plain if is_plain and line else others).append(index)
    return plain, others


def spread_rows(table: "Any", mask: "list[bool]") -> "Any":
    """Make an array of one row an entry of `mask`: the next row of `table` if the entry is True, else NaN."""
    import numpy as np

    whole = np.full((len(mask), table.shape[1]), np.nan)
    whole[mask] = table
    return whole


def _by_numpy(text: bytes, width: int, words: bool) -> "Any | None":
    """Parse lines by NumPy; None if a value is not a number.

    :param words: whether the text may hold words that mean missing.
    """
    import numpy as np

    text = b"," + text.replace(b"\n", b",")
    while b",," in text:
        text = text.replace(b",,", b",nan,")
    if words:
        for word in WORDS:
            while b",%s," % word in text:
                text = text.replace(b",%s," % word, b",nan,")
        if text.translate(None, PLAIN):
            return None
    try:
        flat = np.fromstring(text[1:] + b"%d" % END, sep=",")
    except (ValueError, DeprecationWarning):
        return None
    return flat[:-1].reshape(-1, width) if len(flat) % width == 1 % width and flat[-1] == END else None


def _by_pyarrow(text: bytes, width: int) -> "Any | None":
    """Parse lines by pyarrow; None if a value is not a number."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    names = [*map(str, range(width))]
    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            csv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=names),
            csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.float64()), null_values=sorted(MISSING)),
        )
    except pa.ArrowInvalid:
        return None
    whole = np.empty((len(table), width))
    for index in range(width):
        begin = 0
        for chunk in table.column(index).chunks:
            part = whole[begin : begin + len(chunk), index]
            _fill(part, chunk)
            begin += len(part)
    return whole


def _fill(part: "Any", chunk: "Any") -> None:
    """Copy an array of pyarrow by its buffers; pyarrow's own conversion imports pandas, if installed, for fifty megabytes."""
    import numpy as np

    valid, data = chunk.buffers()
    begin, end = chunk.offset, chunk.offset + len(chunk)
    part[:] = np.frombuffer(data, count=end)[begin:]
    if chunk.null_count:
        part[np.unpackbits(np.frombuffer(valid, np.uint8), count=end, bitorder="little")[begin:] == 0] = np.nan
