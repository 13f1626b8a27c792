"""Parse CSV lines into one float64 array; None if NumPy is not loaded or a value is not a plain number.

The csv module and `value_of` accept all that is accepted here, and give the same values: NumPy reads digits by Python's own
function, and pyarrow, which takes a quarter of the time, by a function that finds the same nearest double.
"""

# imports late: numpy, pyarrow

import sys
from itertools import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DIGITS = b"0123456789+-.eE,\n"  # NumPy accepts nan(7), takes a space for -1 in places, and ends at a zero byte
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


class NumberParser:
    """Parses lines of numbers.

    :param width: how many values each line must have.
    :param indices: the columns to return, one a feature; None gives NaN.
    :param missing: the texts that mean missing; if one of them is itself a number, no line is parsed here.
    """

    def __init__(self, width: int, indices: "list[int | None]", missing: "Iterable[str]") -> None:
        self.width, self._indices = width, indices
        self._missing = sorted(word for word in missing if not {*word} & {*',"\r\n'})
        self._usable = not any(map(is_number, self._missing))
        self._words = [word.encode() for word in self._missing if word and word.isascii()]
        self._letters = DIGITS + b"".join(self._words)

    def parse(self, lines: "list[bytes]") -> "Any | None":
        """Parse lines into an array of shape (lines, indices); NaN for a text that means missing.

        :returns: None if NumPy is not loaded, or a value is not a plain number.
        """
        if not self._usable or "numpy" not in sys.modules or {*map(type, lines)} != {bytes}:  # or a line is truncated
            return None
        width = self.width
        if {*map(bytes.count, lines, repeat(b","))} != {width - 1} or (width == 1 and not all(lines)):
            return None
        text = b"".join((b"\n".join(lines), b"\n"))
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        letters = text.translate(None, DIGITS)
        if letters and letters.translate(None, self._letters):
            return None
        by_pyarrow = "pyarrow.csv" in sys.modules
        table = _by_pyarrow(text, width, self._missing) if by_pyarrow else self._by_numpy(text, bool(letters))
        if table is None or len(table) != len(lines):
            return None
        import numpy as np

        if self._indices == [*range(width)]:
            return table
        whole = np.full((len(table), len(self._indices)), np.nan)
        read = [place for place, index in enumerate(self._indices) if index is not None]
        whole[:, read] = table[:, [self._indices[place] for place in read]]
        return whole

    def split(self, lines: "list[bytes]") -> "tuple[list[int], list[int]]":
        """Split lines into those that look like plain numbers and the others.

        :returns: the indices of the plain lines, and those of the others.
        """
        plain: list[int] = []
        others: list[int] = []
        for index, line in enumerate(lines):
            whole = type(line) is bytes and line.count(b",") == self.width - 1
            is_plain = whole and not line.rstrip(b"\r").translate(None, self._letters)
            (plain if is_plain and line else others).append(index)
        return plain, others

    def _by_numpy(self, text: bytes, words: bool) -> "Any | None":
        """Parse lines by NumPy; None if a value is not a number.

        :param words: whether the text may hold words that mean missing.
        """
        import numpy as np

        if words and b"nan" in text and b"nan" not in self._words:
            return None
        text = b"," + text.replace(b"\n", b",")
        if "" in self._missing:
            while b",," in text:
                text = text.replace(b",,", b",nan,")
        elif b",," in text:
            return None
        if words:
            for word in [word for word in self._words if word != b"nan"]:
                while b",%s," % word in text:
                    text = text.replace(b",%s," % word, b",nan,")
            # of the letters only those of "nan" are left, and NumPy also reads +nan and NaN, which mean missing if listed only
            if text.translate(None, DIGITS + b"na") or b"+n" in text or b"-n" in text:
                return None
        try:
            flat = np.fromstring(text[1:] + b"%d" % END, sep=",")
        except (ValueError, DeprecationWarning):
            return None
        return flat[:-1].reshape(-1, self.width) if len(flat) % self.width == 1 % self.width and flat[-1] == END else None


def is_number(text: str) -> bool:
    """Tell whether a text is a number and not a word for NaN."""
    try:
        return not float(text) != float(text)
    except ValueError:
        return False


def spread_rows(table: "Any", mask: "list[bool]") -> "Any":
    """Make an array of one row an entry of `mask`: the next row of `table` if the entry is True, else NaN."""
    import numpy as np

    whole = np.full((len(mask), table.shape[1]), np.nan)
    whole[mask] = table
    return whole


def _by_pyarrow(text: bytes, width: int, missing: "list[str]") -> "Any | None":
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
            csv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.float64()), null_values=missing),
        )
    except pa.ArrowInvalid:
        return None
    whole = np.empty((len(table), width))
    for index in range(width):
        begin = 0
        for chunk in table.column(index).chunks:
            part = whole[begin : begin + len(chunk), index]
            if not _fill(part, chunk):
                return None
            begin += len(part)
    return whole


def _fill(part: "Any", chunk: "Any") -> bool:
    """Copy an array of pyarrow by its buffers; pyarrow's own conversion imports pandas, if installed, for fifty megabytes.

    :returns: False if a word was read as NaN that does not mean missing: pyarrow takes some in any spelling.
    """
    import numpy as np

    valid, data = chunk.buffers()
    begin, end = chunk.offset, chunk.offset + len(chunk)
    part[:] = np.frombuffer(data, count=end)[begin:]
    if not chunk.null_count:
        return not np.isnan(part).any()
    absent = np.unpackbits(np.frombuffer(valid, np.uint8), count=end, bitorder="little")[begin:] == 0
    sound = not np.isnan(part[~absent]).any()
    part[absent] = np.nan
    return sound
