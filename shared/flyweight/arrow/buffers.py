"""Share the memory of arrays between Arrow and NumPy.

pyarrow's own `array` and `to_numpy` import pandas where it is installed, which takes longer than to score 100,000 rows.
"""

# imports late: numpy, pyarrow

from array import array
from itertools import accumulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# Arrow's types of numbers by the letters of NumPy's
LETTERS = {
    **{f"{sign}int{8 * size}": f"{sign[:1] or 'i'}{size}" for sign in ("", "u") for size in (1, 2, 4, 8)},
    **{"halffloat": "f2", "float": "f4", "double": "f8"},
}


def to_arrow(values: "Any") -> "Any":
    """Make an array of Arrow of numbers of NumPy, of one dimension and without missing ones."""
    import numpy as np
    import pyarrow as pa

    kinds = {"float64": pa.float64, "int64": pa.int64, "int32": pa.int32}
    return pa.Array.from_buffers(kinds[str(values.dtype)](), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def texts(values: "Sequence[str | None]") -> "Any":
    """Make an array of Arrow of texts."""
    import pyarrow as pa

    encoded = [(value or "").encode() for value in values]
    ends = array("i", accumulate(map(len, encoded), initial=0))
    return pa.Array.from_buffers(pa.string(), len(values), [_valid(values), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def integers(values: "Sequence[int | None]") -> "Any":
    """Make an array of Arrow of whole numbers, such as `take` reads."""
    import pyarrow as pa

    numbers = array("q", [value or 0 for value in values])
    return pa.Array.from_buffers(pa.int64(), len(values), [_valid(values), pa.py_buffer(numbers)])


def _valid(values: "Sequence[Any]") -> "Any | None":
    """Make the bits that say which values are there; None if all are."""
    import pyarrow as pa

    if None not in values:
        return None
    bits = int("".join(["0" if value is None else "1" for value in reversed(values)]), 2)
    return pa.py_buffer(bits.to_bytes(-(-len(values) // 8), "little"))


def to_numpy(column: "Any") -> "Any | None":
    """Make an array of NumPy of numbers or flags of Arrow; with missing ones it is of floats, which are NaN there.

    :param column: one array of Arrow.
    :returns: None for other types, for flags of which some are missing, and without NumPy.
    """
    try:
        import numpy as np
    except ImportError:
        return None
    kind, count, first = str(column.type), len(column), column.offset
    if kind not in LETTERS and (kind != "bool" or column.null_count):
        return None
    if not count:
        return np.empty(0)
    valid, data = column.buffers()
    if kind == "bool":
        values = _bits(data, first, count)
    else:
        letter = np.dtype(LETTERS[kind])
        values = np.frombuffer(data, letter, count, first * letter.itemsize)
    if not column.null_count:
        return values
    return np.where(_bits(valid, first, count), values.astype(float), np.nan)


def _bits(data: "Any", first: int, count: int) -> "Any":
    """Read bits as flags."""
    import numpy as np

    begin = first // 8
    found = np.unpackbits(np.frombuffer(data, np.uint8, offset=begin), count=first % 8 + count, bitorder="little")
    return found[first % 8 :].view(bool)
