"""Sums of trees and their links in single precision, as XGBoost computes them (3.x: `src/predictor/`, `src/common/math.h`).

Every value is a float32 held in a Python float; each step rounds as C does. Sums are equal bit for bit. The links use `expf`,
here glibc's (`sysdeps/ieee754/flt-32/e_expf.c`). An XGBoost built upon another `expf` differs by a unit in the last place;
`precision` is the largest such difference, relative to the scale.
"""

from array import array
from math import inf, ldexp, log1p, nan

from flyweight.ops import rows_of
from flyweight.ops._forest import Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node
    from flyweight.ops._forest_batch import BatchWalk

    Array = np.ndarray[Any, Any]

GAP = 9.999999974752427e-07  # 1e-6f, the least distance of two expectiles
PRECISION = 2.0**-22  # two units in the last place, at worst


def _rounded(values: "list[float]") -> "list[float]":
    """Return the nearest float32 of each value, infinite beyond the range."""
    return array("f", values).tolist()


_STEPS = [2.0 ** (j / 32.0) for j in range(32)]


def _exp(x: float) -> float:
    """Return `expf` before its last rounding: 2**(k/32) times a cubic in the remainder of `x * 32 / ln 2`."""
    if not -150.0 < x <= 88.72283172607422:  # overflow, or so small that it rounds to zero
        return inf if x > 0.0 else 0.0 if x < 0.0 else nan
    z = x * (1.4426950408889634 * 32.0)
    k = round(z)
    r = z - k
    cubic = (0.05550361559341535 / 32768.0 * r + 0.2402284522445722 / 1024.0) * (r * r) + (0.6931471806916203 / 32.0 * r + 1.0)
    return ldexp(cubic * _STEPS[k % 32], k // 32)


class Rounded:
    """Inputs as float32; a value equal to one of `missing` becomes NaN.

    :raises ModelRefused: `missing` holds more than finite numbers.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        missing = node.items("missing", (int, float))
        node.expect(all(-1e300 < v < 1e300 for v in missing), "'missing' holds more than numbers")
        self._missing = frozenset(_rounded(missing))

    def row(self, x: "list[float]") -> "list[float]":
        """Return the rounded values."""
        y = _rounded(x)
        return [nan if v in self._missing else v for v in y] if self._missing else y

    def batch(self, x: "Array") -> "Array":
        """Answer all rows of an array."""
        import numpy as np

        with np.errstate(over="ignore"):
            y = x.astype(np.float32).astype(float)
        y[np.isin(y, [*self._missing])] = nan
        return y


class Category:
    """Categories given as numbers, cut to whole numbers; one that is not from 0 to its column's `limits` becomes that limit.

    A limit of 0 leaves a column as it is. XGBoost sends a category that a split does not know to the left, and a missing value
    where the split's default leads.

    :raises ModelRefused: `limits` does not have one number a column, or one is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        self._limits = node.items("limits", (int,), len(self.kinds))
        node.expect(all(0 <= limit < 1 << 31 for limit in self._limits), "a limit is not a category")

    def row(self, x: "list[float]") -> "list[float]":
        """Return the categories."""
        return [
            v if not limit or v != v else float(int(v)) if 0.0 <= v < limit else float(limit)
            for v, limit in zip(x, self._limits, strict=True)
        ]


class Sum:
    """`base` plus one leaf of each tree, one after the other.

    A leaf has one number for the tree's own output `targets[tree]`, or one number an output.

    :raises ModelRefused: the arrays do not fit each other, or a tree is damaged.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._base = node.floats("base", None)
        self.kinds = "n" * len(self._base)
        node.expect(self.kinds != "", "it gives nothing")
        rows, columns = node.array("leaves", "F64", (None, None)).shape
        flat = _rounded(node.floats("leaves", rows, columns))
        self._forest = Forest(node, width, rows)
        self._walk: BatchWalk | None = None
        self._targets: list[int] | None = None
        node.takes_usual(len(self.kinds))
        node.takes(3 * self._forest.count * columns)  # several trees may end in one leaf
        self._leaves: list[list[float]] = []
        if columns == 1:
            self._scalars = flat
            self._targets = node.indices("targets", len(self._base), self._forest.count)
        else:
            node.expect(columns == len(self._base), "leaves and 'base' differ in width")
            self._leaves = rows_of(flat, rows, columns)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum an output."""
        y = array("f", self._base)  # rounds its items
        if self._targets is None:
            for leaf in self._forest.leaves(x):
                y = array("f", [a + b for a, b in zip(y, self._leaves[leaf], strict=True)])
        else:
            for leaf, target in zip(self._forest.leaves(x), self._targets, strict=True):
                y[target] += self._scalars[leaf]
        return y.tolist()

    def batch(self, x: "Array") -> "Array":
        """Answer all rows of an array."""
        import numpy as np

        from flyweight.ops._forest_batch import BatchWalk

        table = np.array(self._leaves or [[v] for v in self._scalars], dtype=np.float32)
        self._walk = self._walk or BatchWalk(self._forest)
        y = np.repeat(np.array([self._base], dtype=np.float32), len(x), axis=0)
        for tree, rows, ended in self._walk.walks(x):
            to = slice(None) if self._targets is None else slice(self._targets[tree], self._targets[tree] + 1)
            y[rows, to] += table[ended]
        wide: Array = y.astype(float)
        return wide


class _Link:
    """A function of the sums.

    :raises ModelRefused: there is no sum.
    """

    exact = False
    precision = PRECISION

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one sum")


class Exp(_Link):
    """`exp(x)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean a column."""
        return _rounded([_exp(v) for v in x])


class Sigmoid(_Link):
    """`1 / (1 + exp(-x))`, each step rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a column."""
        steps = _rounded([_exp(min(-v, 88.69999694824219)) for v in x])  # 88.7f
        return _rounded([1.0 / v for v in _rounded([step + 1.0 for step in steps])])


class Both(_Link):
    """`1 - p` and p: the two classes of one probability.

    :raises ModelRefused: the input has several columns.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(len(self.kinds) == 1, "takes one probability")
        self.kinds = "nn"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the two probabilities."""
        return _rounded([1.0 - x[0], x[0]])


class Softmax(_Link):
    """`exp(x - max(x))` over the sum, which is added in double precision and rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a column."""
        top = max(x)
        parts = _rounded([_exp(v) for v in _rounded([v - top for v in x])])
        whole = 0.0
        for part in parts:
            whole += part
        (whole,) = _rounded([whole])
        return _rounded([part / whole for part in parts]) if whole else [nan] * len(parts)


class Rising(_Link):
    """The first sum, then each value `softplus(x) + 1e-6` above the one before it: several expectiles, which do not cross."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one expectile a column."""
        steps = _rounded([log1p(part) for part in _rounded([_exp(-abs(v)) for v in x[1:]])])
        steps = _rounded([max(v, 0.0) + step for v, step in zip(x[1:], steps, strict=True)])
        y = array("f", x[:1])
        for step in _rounded([step + GAP for step in steps]):
            y.append(y[-1] + step)
        return y.tolist()


OPS = {
    "rounded": Rounded,
    "category": Category,
    "sum": Sum,
    "exp": Exp,
    "sigmoid": Sigmoid,
    "both": Both,
    "softmax": Softmax,
    "rising": Rising,
}
