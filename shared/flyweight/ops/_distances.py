"""Batches against many points: distances of each row to each, a block of rows at a time, so that a block stays in the cache."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BLOCK = 1 << 15  # numbers


def in_blocks(x: "Any", each: int, answer: "Callable[[Any], Any]") -> "Any":
    """What `answer` gives for the rows of `x`, asked for so few at once that `each` numbers a row are a block."""
    import numpy as np

    size = max(1, BLOCK // max(1, each))
    return np.concatenate([answer(x[start : start + size]) for start in range(0, max(1, len(x)), size)])


def squares(x: "Any", points: "Any") -> "Any":
    """Squared Euclidean distances, of shape (rows, points)."""
    return apart(x, points, "euclidean", 2.0)


def apart(x: "Any", points: "Any", metric: str, power: float) -> "Any":
    """Distances before the root is taken, one feature's part after the other's: row by row has the same bits."""
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
