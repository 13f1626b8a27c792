"""Magnitudes of `ops.interpolate`."""

from __future__ import annotations

from bisect import bisect_right

from flyweight.ops.interpolate import Knots


def knots(op: Knots, x: list[float]) -> list[float]:
    """Return the larger of the two knots' values, one a column."""
    sizes = []
    for v, (xs, ys) in zip(x, op.columns, strict=True):
        place = bisect_right(xs, v)
        sizes.append(max(map(abs, ys[max(place - 1, 0) : place + 1]), default=0.0))
    return sizes


MAGNITUDES = {"knots": knots}
