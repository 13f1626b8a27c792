"""Compute the distances of a batch's rows to many points, in NumPy: a block of rows at a time, which stays in the cache."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BLOCK = 1 << 15  # numbers
PART = 64  # points of which the nearest one is found at once
TINY = 1e-300  # more than what squares lose that are too small for a number's usual digits


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


def candidates(x: "Any", prepared: "Any", count: int) -> "tuple[Any, Any]":
    """Find for each row of `x` all points that may be among its `count` nearest ones by squared Euclidean distance.

    A product of matrices gives all distances, each less the row's own part, with an error whose bound is known
    (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1). The points are looked at in parts: the farthest of the
    `count` parts that come nearest is no nearer than the row's neighbors, so that no point beyond it by more than twice the error
    can be one of them.

    :param prepared: the points, as `prepared_points` returns them.
    :param count: less than the number of points.
    :returns: pairs of a row and a point, in the order of the rows; none for a row with a number that is not finite.
    """
    import numpy as np

    points = prepared.shape[1]
    part = max(1, min(PART, points // (2 * count)))
    whole = points // part * part
    with np.errstate(all="ignore"):
        rough = np.column_stack([x, np.ones(len(x))]) @ prepared
        error = 8 * (x.shape[1] + 8) * 2.0**-53 * ((x * x).sum(axis=1) + prepared[-1].max()) + TINY
        least = rough[:, :whole].reshape(len(x), -1, part).min(axis=2)
        if whole < points:
            least = np.column_stack([least, rough[:, whole:].min(axis=1)])
        limit = np.partition(least, count - 1, axis=1)[:, count - 1] + 2.0 * error
    limit[~np.isfinite(limit)] = np.nan
    rows, found = np.divmod(np.flatnonzero(rough <= limit[:, None]), points)
    return rows, found


def prepared_points(points: "Any") -> "Any":
    """Return points as `candidates` reads them: minus twice each, and below them the squares of their lengths."""
    import numpy as np

    return np.ascontiguousarray(np.vstack([-2.0 * points.T, (points * points).sum(axis=1)]))
