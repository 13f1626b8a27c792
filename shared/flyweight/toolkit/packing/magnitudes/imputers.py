"""Magnitudes of `ops.imputers`."""

from __future__ import annotations

from math import inf

from flyweight.ops._arithmetic import total
from flyweight.ops.imputers import Nearest

ROUNDING = 2.0**-50  # of a sum of squares from matrix products, relative to its terms


def nearest(op: Nearest, x: list[float]) -> list[float]:
    """Return the sizes of the values that are averaged; infinity where rounding chooses the training rows.

    Of training rows that are equally near, scikit-learn takes those that its matrix products and its partial sort happen to put
    first: others on another machine, or if the same row is asked together with others. Then its answer is not a function of the
    row, and nothing can be compared.
    """
    missing = [column for column, v in enumerate(x) if v != v]
    if not missing:
        return []
    near = op.near(x)
    own = total([v * v for v in x if v == v])
    sizes = [own + total([v * v for v in point if v == v]) for point in op.points]
    spread = len(x) / max(len(x) - len(missing), 1)
    magnitudes = []
    for column in missing:
        donors = op.donors(column, near)
        values = [op.points[number][column] for _, number in donors]
        if len(donors) > op.k and _is_open(donors, values, op.k, [ROUNDING * len(x) * spread * size for size in sizes]):
            return [inf]
        magnitudes.append(total(map(abs, values[: op.k])) / (min(op.k, len(values)) or 1))
    return magnitudes


def _is_open(donors: list[tuple[float, int]], values: list[float], k: int, errors: list[float]) -> bool:
    """Tell whether rounding chooses: whether a row beyond the nearest k is no farther than one of them, and has another value.

    :param donors: the squared distances and numbers of the rows that have a value, the nearest first.
    :param values: their values.
    :param errors: how far rounding may change the distance of each training row.
    """
    border = max(distance + errors[number] for distance, number in donors[:k])
    beyond = next((place for place in range(k, len(donors)) if donors[place][0] - errors[donors[place][1]] > border), len(donors))
    lowest = min(distance - errors[number] for distance, number in donors[k:])
    inside = next((place for place in range(k) if donors[place][0] + errors[donors[place][1]] >= lowest), k)
    return inside < k < beyond and len({*values[inside:beyond]}) > 1


MAGNITUDES = {"nearest": nearest}
