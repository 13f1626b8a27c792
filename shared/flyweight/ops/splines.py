"""B-splines: from numbers to the values of the basis functions (`SplineTransformer.transform`, scikit-learn 1.9).

Source: `_deBoor_D` of `scipy/interpolate/src/__fitpack.cc`.
"""

from _bisect import bisect_right
from itertools import pairwise
from math import inf

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

OUTSIDE = ("constant", "linear", "continue", "error", "periodic")
MISSING = ("refuse", "zeros")


class Basis:
    """The values of each feature's basis functions; `knots` has a row a feature.

    With `degree` k, the first and last k knots lie beyond the boundaries. `outside` says what a number beyond a boundary gets:
    the values at the boundary ("constant"), a line by the `slopes` there, of shape (features, 2, splines) ("linear"), the values
    of the outermost piece ("continue"), a refusal ("error"), or the values one period away ("periodic").

    :raises ModelRefused: the knots go down, are not finite, or are fewer than the degree needs; or `slopes` has another shape.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._degree = node.whole("degree", 0, 100)
        node.takes_usual(0)
        node.takes(width * (self._degree + 1) ** 2 * 8)
        self._outside = node.choice("outside", OUTSIDE)
        self._zeros = node.choice("missing", MISSING) == "zeros"
        self._names = node.items("names", (str,), width)
        count = node.array("knots", "F64", (width, None)).shape[1]
        self._knots = node.rows("knots", width, count)
        self._pieces = count - self._degree - 1  # the number of functions over these knots
        node.expect(self._pieces > self._degree, "it has fewer knots than its degree needs")
        for knots in self._knots:
            node.expect(all(a <= b for a, b in pairwise(knots)), "'knots' go down, or are NaN")
            node.expect(-inf < knots[0] and knots[-1] < inf, "'knots' are not finite")
        self._splines = self._pieces - (self._degree if self._outside == "periodic" else 0)
        node.expect(self._splines > 0, "it has no function")
        self._slopes: list[list[float]] = []
        if self._outside == "linear":
            slopes = node.floats("slopes", width, 2, self._splines)
            self._slopes = rows_of(slopes, 2 * width, self._splines)
        self.kinds = "n" * (width * self._splines)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the values of all functions of the first number, then of the second.

        :raises InvalidInput: a number is missing or beyond the boundaries, and the op refuses it.
        """
        y: list[float] = []
        for feature, v in enumerate(x):
            y += self._values(feature, v)
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array, by the steps of `row`.

        :raises InvalidInput: a number is missing or beyond the boundaries, and the op refuses it.
        """
        import numpy as np

        y = np.zeros((len(x), len(self.kinds)))
        for feature in range(x.shape[1]):
            self._fill(y[:, feature * self._splines : (feature + 1) * self._splines], feature, x[:, feature])
        return y

    def _fill(self, y: "Any", feature: int, v: "Any") -> None:
        """Replace zeros by the values of one feature's functions, of shape (rows, functions).

        :raises InvalidInput: a number is missing or beyond the boundaries, and the op refuses it.
        """
        import numpy as np

        knots, degree = np.array(self._knots[feature]), self._degree
        low, high = self._knots[feature][degree], self._knots[feature][self._pieces]
        below, above, missing = v < low, v > high, np.isnan(v)
        if (missing.any() and not self._zeros) or (self._outside == "error" and (below | above).any()):
            raise InvalidInput
        inside = v
        if self._outside == "periodic":
            inside = low + (v - low) % (high - low) if high > low else np.zeros(len(v))
        elif self._outside != "continue":
            inside = np.where(below, low, np.where(above, high, v))
        last = knots[degree + 1 : self._pieces].searchsorted(inside, side="right") + degree
        given = np.flatnonzero(~missing)
        last = last[given]
        wraps = last >= self._splines  # a period's end is its beginning
        for place, part in enumerate(_de_boor_of_all(knots, inside[given], degree, last)):
            functions = last - degree + place
            y[given[~wraps], functions[~wraps]] = part[~wraps]
            y[given[wraps], functions[wraps] % self._splines] += part[wraps]
        if self._outside == "linear":
            for side, (rows, bound) in enumerate([(below, low), (above, high)]):
                y[rows] = self._lines(y[rows], np.array(self._slopes[2 * feature + side]), v[rows] - bound, side == 0)

    def _lines(self, values: "Any", slopes: "Any", apart: "Any", below: bool) -> "Any":
        """Return the outermost functions along their slopes, and zero for all others, of shape (rows, functions)."""
        import numpy as np

        places = np.arange(self._splines)
        inside = places < self._degree if below else places >= self._splines - self._degree
        return np.where(inside, values + apart[:, None] * slopes, 0.0)

    def _values(self, feature: int, v: float) -> "list[float]":
        """Return the values of one feature's functions.

        :raises InvalidInput: the number is missing or beyond the boundaries, and the op refuses it.
        """
        knots, degree = self._knots[feature], self._degree
        low, high = knots[degree], knots[self._pieces]
        if v != v:
            return self._missing(feature)
        if self._outside == "periodic":
            return self._at(knots, low + (v - low) % (high - low) if high > low else 0.0)
        if low <= v <= high or self._outside == "continue":
            return self._at(knots, v)
        if self._outside == "error":
            raise InvalidInput(
                Fault(f"a number from {preview(low)} to {preview(high)}", preview(v), feature=self._names[feature])
            )
        below = v < low
        values = self._at(knots, low if below else high)
        if self._outside == "linear":
            return self._continued(values, self._slopes[2 * feature + (not below)], v - (low if below else high), below)
        return values

    def _missing(self, feature: int) -> "list[float]":
        """Return zeros for a missing number.

        :raises InvalidInput: the op refuses missing numbers.
        """
        if not self._zeros:
            raise InvalidInput(Fault("a number", "null", feature=self._names[feature]))
        return [0.0] * self._splines

    def _continued(self, values: "list[float]", slopes: "list[float]", apart: float, below: bool) -> "list[float]":
        """Return the outermost functions along their slopes, and zero for all others."""
        kept = self._degree
        lines = [value + apart * slope for value, slope in zip(values, slopes, strict=True)]
        inside = range(kept) if below else range(self._splines - kept, self._splines)
        return [line if place in inside else 0.0 for place, line in enumerate(lines)]

    def _at(self, knots: "list[float]", v: float) -> "list[float]":
        """Return the values of all functions over these knots."""
        degree = self._degree
        last = bisect_right(knots, v, degree + 1, self._pieces) - 1
        parts = _de_boor(knots, v, degree, last)
        values = [0.0] * self._splines
        if last < self._splines:
            values[last - degree : last + 1] = parts
        else:  # a period's end is its beginning
            for place, part in enumerate(parts, start=last - degree):
                values[place % self._splines] += part
        return values


def _de_boor(knots: "list[float]", v: float, degree: int, last: int) -> "list[float]":
    """Return the values of the functions that are not zero between the knots `last` and `last + 1`."""
    values = [1.0]
    for order in range(1, degree + 1):
        grown, carried = [], 0.0
        for place, value in enumerate(values, start=last + 1):
            right, left = knots[place], knots[place - order]
            if right != left:
                share = value / (right - left)
                grown.append(carried + share * (right - v))
                carried = share * (v - left)
            else:
                grown.append(carried)
                carried = 0.0
        grown.append(carried)
        values = grown
    return values


def _de_boor_of_all(knots: "Any", v: "Any", degree: int, last: "Any") -> "list[Any]":
    """Return what `_de_boor` returns of each number, an array a function."""
    import numpy as np

    values = [np.ones(len(v))]
    for order in range(1, degree + 1):
        grown, carried = [], np.zeros(len(v))
        for place, value in enumerate(values, start=1):
            right, left = knots[last + place], knots[last + place - order]
            apart = right != left
            share = np.divide(value, right - left, out=np.zeros(len(v)), where=apart)
            grown.append(np.where(apart, carried + share * (right - v), carried))
            carried = np.where(apart, share * (v - left), 0.0)
        grown.append(carried)
        values = grown
    return values


OPS = {"basis": Basis}
