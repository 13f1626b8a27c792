"""Interpolate along straight lines between knots."""

from _bisect import bisect_right
from itertools import pairwise

from flyweight.errors import Fault, InvalidInput, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

NAN = float("nan")


class Knots:
    """Each column on its own knots, as `np.interp` does it: a column's knots in `xs` and `ys` begin at its `starts`.

    `outside` says what a number beyond the knots gives: "clip" (the nearest knot's value), "nan", or "refuse"
    (IsotonicRegression's out_of_bounds).

    :raises ModelRefused: a column has no knot, its knots do not go up, or `names` does not have one name a column.
    """

    exact = False  # on arm64 NumPy's compiler may fuse the multiplication with the addition

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        xs = node.floats("xs", None)
        ys = node.floats("ys", len(xs))
        starts = node.indices("starts", len(xs) + 1, width + 1)
        node.expect(all(begin < end for begin, end in pairwise(starts)), "a column has no knot")
        self.columns = [(xs[begin:end], ys[begin:end]) for begin, end in pairwise(starts)]
        rising = all(a < b for knots, _ in self.columns for a, b in pairwise(knots))
        node.expect(rising, "the knots of a column do not go up")
        self._outside = node.choice("outside", ("clip", "nan", "refuse"))
        self._bounded = self._outside != "clip"
        self._names = node.items("names", (str,), width)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the value on each column's line.

        :raises InvalidInput: a number is beyond the knots, and `outside` is "refuse".
        """
        y = []
        for position, (xs, ys) in enumerate(self.columns):
            v = x[position]
            if v != v:
                y.append(NAN)
            elif self._bounded and not xs[0] <= v <= xs[-1] and len(xs) > 1:
                if self._outside == "refuse":
                    expected = f"a number from {xs[0]!r} to {xs[-1]!r}"
                    raise InvalidInput(Fault(expected, preview(v), feature=self._names[position]))
                y.append(NAN)
            else:
                y.append(_between(v, xs, ys))
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array.

        :raises InvalidInput: a number is beyond the knots, and `outside` is "refuse".
        """
        import numpy as np

        y = np.empty(x.shape)
        for position, (xs, ys) in enumerate(self.columns):
            column = x[:, position]
            y[:, position] = np.where(np.isnan(column), NAN, np.interp(column, xs, ys))
            outside = (column < xs[0]) | (column > xs[-1])
            if len(xs) > 1 and self._outside != "clip" and outside.any():
                if self._outside == "refuse":
                    raise InvalidInput
                y[outside, position] = NAN
        return y


def _between(v: float, xs: "list[float]", ys: "list[float]") -> float:
    """Return `np.interp` of one number."""
    place = bisect_right(xs, v) - 1
    if place < 0:
        return ys[0]
    if place == len(xs) - 1 or xs[place] == v:
        return ys[place]
    slope = (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place])
    return slope * (v - xs[place]) + ys[place]


OPS = {"knots": Knots}
