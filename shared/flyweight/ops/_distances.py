"""Compute the distances of a batch's rows to many points, in NumPy: a block of rows at a time, which stays in the cache."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BLOCK = 1 << 15  # numbers


def in_blocks(x: "Any", each: int, answer: "Callable[[Any], Any]") -> "Any":
    """Return `answer` of all rows of `x`, called for a block of rows at a time.

    Blocks have a power of two of rows: the last digits of sums differ with their number, so that pieces of 1,024 rows
    (`arrow.scorer`) need blocks of one size.

    :param each: the numbers that a row takes; a block has about as many rows as make BLOCK numbers.
    """
    import numpy as np

    size = 1 << max(0, (BLOCK // max(1, each)).bit_length() - 1)
    return np.concatenate([answer(x[start : start + size]) for start in range(0, max(1, len(x)), size)])


def squares(x: "Any", points: "Any") -> "Any":
    """Return squared Euclidean distances, of shape (rows, points)."""
    return apart(x, points, "euclidean", 2.0)


def apart(x: "Any", points: "Any", metric: str, power: float) -> "Any":
    """Return distances before the root is taken, of shape (rows, points).

    Features are added one after the other, so that the bits are those of the row form.
    """
    import numpy as np

    y = np.zeros((len(x), len(points)))
    for column, coordinates in zip(x.T, points.T, strict=True):
        part = np.subtract.outer(column, coordinates)
        if metric == "euclidean":
            part *= part
        else:
            np.abs(part, out=part)
        if metric == "minkowski":
            part **= power
        (np.maximum if metric == "chebyshev" else np.add)(y, part, out=y)
    return y
