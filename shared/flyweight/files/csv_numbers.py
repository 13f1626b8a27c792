"""Lines of CSV to one array of numbers, where NumPy is loaded and every value is plainly one; None where a closer look is due.

What this takes, the csv module and `float` take as well, and for the same values: NumPy reads digits by Python's own function,
and pyarrow, which takes a quarter of the time, by one that finds the same nearest double.
"""

# imports late: numpy, pyarrow

import sys
from itertools import repeat

from flyweight.formats.csv import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# NumPy knows nan(7), takes a space for -1 here and there, and ends at a zero byte; "nan" is all that these letters spell
PLAIN = b"0123456789+-.eE,\nnaN"
WORDS = [word.encode() for word in sorted(MISSING) if word and word.lower() != "nan"]  # which no reader of numbers knows
LETTERS = b"".join(WORDS)
LAST = 7.0  # stands behind the last value: NumPy may read numbers up to what is none, and says so in some versions only
WORTH = 16 << 20  # bytes of a file from which on pyarrow's import, tens of megabytes itself, is worth its while


def load_reader(size: int) -> None:
    """Import pyarrow's reader for a file of so many bytes, where it is here and that is worth while."""
    if size >= WORTH:
        try:
            import pyarrow.csv  # noqa: F401
        except ImportError:
            pass


def numbers(taken: "list[bytes]", width: int, places: "list[int]") -> "Any | None":
    """The values of lines at these places, of shape (lines, places); NaN where nothing stands, or a word for it."""
    if "numpy" not in sys.modules or {*map(type, taken)} != {bytes}:  # or one is Long, and cut off
        return None
    if {*map(bytes.count, taken, repeat(b","))} != {width - 1} or (width == 1 and not all(taken)):
        return None
    text = b"".join((b"\n".join(taken), b"\n"))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    odd = text.translate(None, PLAIN)
    if odd and odd.translate(None, LETTERS):
        return None
    whole = _by_pyarrow(text, width) if "pyarrow.csv" in sys.modules else _by_numpy(text, width, bool(odd))
    if whole is None or len(whole) != len(taken):
        return None
    import numpy as np

    return whole if places == [*range(width)] else np.ascontiguousarray(whole[:, places])


def plain_lines(taken: "list[bytes]", width: int) -> "tuple[list[int], list[int]]":
    """The places of lines that may well be numbers all, and those of the others."""
    good: list[int] = []
    odd: list[int] = []
    for place, line in enumerate(taken):
        plain = type(line) is bytes and line.count(b",") == width - 1 and not line.rstrip(b"\r").translate(None, PLAIN + LETTERS)
        (good if plain and line else odd).append(place)
    return good, odd


def spread(table: "Any", there: "list[bool]") -> "Any":
    """The rows of a table where there are any, NaN elsewhere."""
    import numpy as np

    whole = np.full((len(there), table.shape[1]), np.nan)
    whole[there] = table
    return whole


def _by_numpy(text: bytes, width: int, words: bool) -> "Any | None":
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
        flat = np.fromstring(text[1:] + b"%d" % LAST, sep=",")
    except (ValueError, DeprecationWarning):
        return None
    return flat[:-1].reshape(-1, width) if len(flat) % width == 1 % width and flat[-1] == LAST else None


def _by_pyarrow(text: bytes, width: int) -> "Any | None":
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
    for place in range(width):
        begin = 0
        for chunk in table.column(place).chunks:
            part = whole[begin : begin + len(chunk), place]
            _fill(part, chunk)
            begin += len(part)
    return whole


def _fill(part: "Any", chunk: "Any") -> None:
    """Copy an array of pyarrow's by its buffers: its own way to NumPy imports pandas, where that is, for fifty megabytes."""
    import numpy as np

    valid, data = chunk.buffers()
    begin, end = chunk.offset, chunk.offset + len(chunk)
    part[:] = np.frombuffer(data, count=end)[begin:]
    if chunk.null_count:
        part[np.unpackbits(np.frombuffer(valid, np.uint8), count=end, bitorder="little")[begin:] == 0] = np.nan
