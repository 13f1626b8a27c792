"""Sums of trees and their links in single precision, as XGBoost computes them (3.x: `src/predictor/`, `src/common/math.h`).

Every value is a float32 held in a Python float; each step rounds as C does. Sums are equal bit for bit. The links use `expf`,
here glibc's (`sysdeps/ieee754/flt-32/e_expf.c`). An XGBoost built upon another `expf` differs by a unit in the last place;
`precision` is the largest such difference, relative to the scale.
"""

from array import array
from math import inf, ldexp, log1p, nan

from flyweight.ops import Over, rows_of
from flyweight.ops._forest import Forest
from flyweight.ops._lazy import cached_property
from flyweight.ops._singles import rounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node
    from flyweight.ops._forest_batch import BatchWalk
    from flyweight.ops._forest_levels import Levels

    Array = np.ndarray[Any, Any]

GAP = 9.999999974752427e-07  # 1e-6f, the least distance of two expectiles
PRECISION = 2.0**-22  # two units in the last place, at worst


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


def _single(xp: "Any", x: "Any") -> "Any":
    """Round an array of float64 to float32 numbers; it stays one of float64, as `rounded` does for lists."""
    return xp.asarray(xp.asarray(x, dtype=xp.float32), dtype=xp.float64)


def _all_exp(xp: "Any", x: "Any", steps: "Any", powers: "Any") -> "Any":
    """Return `_exp` of an array, by the same operations; `powers` has 2 to the powers from LEAST_POWER on."""
    inside = (x > -150.0) & (x <= 88.72283172607422)
    v = xp.where(inside, x, 0.0)
    z = v * (1.4426950408889634 * 32.0)
    k = xp.round(z)
    r = z - k
    cubic = (0.05550361559341535 / 32768.0 * r + 0.2402284522445722 / 1024.0) * (r * r) + (0.6931471806916203 / 32.0 * r + 1.0)
    quotient = xp.floor(k / 32.0)
    places = xp.asarray(k - 32.0 * quotient, dtype=xp.int64), xp.asarray(quotient, dtype=xp.int64) - LEAST_POWER
    step, power = (_looked_up(xp, table, at) for table, at in zip((steps, powers), places, strict=True))
    beyond = xp.where(x > 0.0, inf, xp.where(x < 0.0, 0.0, x))
    return xp.where(inside, (cubic * step) * power, beyond)


def _looked_up(xp: "Any", table: "Any", places: "Any") -> "Any":
    """Return the numbers of a table at places of any shape."""
    return xp.reshape(xp.take(table, xp.reshape(places, (-1,)), axis=0), places.shape)


LEAST_POWER = -217  # of -150 * 32 / ln 2 over 32, rounded down


class Rounded(Over):
    """Inputs as float32; a value equal to one of `missing` becomes NaN.

    :raises ModelRefused: `missing` holds more than finite numbers.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        missing = node.items("missing", (int, float))
        node.expect(all(-1e300 < v < 1e300 for v in missing), "'missing' holds more than numbers")
        self._missing = frozenset(rounded(missing))

    def row(self, x: "list[float]") -> "list[float]":
        """Return the rounded values."""
        y = rounded(x)
        return [nan if v in self._missing else v for v in y] if self._missing else y

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        y = _single(xp, x)
        for missing in self._missing:
            y = xp.where(y == missing, nan, y)
        return y


class Category(Over):
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

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the limits."""
        import numpy as np

        return (np.array(self._limits, dtype=float),)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        (limits,) = arrays
        known = xp.where((x >= 0.0) & (x < limits), xp.trunc(x), limits)
        return xp.where((limits == 0.0) | (x != x), x, known)


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
        flat = rounded(node.floats("leaves", rows, columns))
        self._forest = Forest(node, width, rows)
        self.grows = self._forest.grows
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

        columns: list[Any] = [*zip(*self._leaves, strict=True)] or [self._scalars]
        self._walk = self._walk or BatchWalk(self._forest)
        y = self._walk.sums(x, np.array(self._base, dtype=np.float32), columns, self._targets)
        wide: Array = y.astype(float)
        return wide

    @cached_property
    def levels(self) -> "Levels":
        """Lay the trees out for walks in any namespace."""
        from flyweight.ops._forest_levels import Levels

        return Levels(self._forest, "float64")

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the leaves' values, one array a column, and the layout of the trees."""
        import numpy as np

        table = np.array(self._leaves or [[v] for v in self._scalars], dtype=np.float32)
        return tuple([np.ascontiguousarray(column) for column in table.T]), self.levels.arrays

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        columns, layout = arrays
        zeros = xp.asarray(xp.zeros_like(x[:, 0]), dtype=xp.float32)
        y = [zeros + base for base in rounded(self._base)]
        for tree, terms in self.levels.terms(xp, layout, x, columns):
            for output, term in enumerate(terms) if self._targets is None else [(self._targets[tree], terms[0])]:
                y[output] = y[output] + term
        return xp.asarray(xp.stack(y, axis=1), dtype=xp.float64)


class _Link:
    """A function of the sums.

    :raises ModelRefused: there is no sum.
    """

    exact = False
    precision = PRECISION

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one sum")
        node.takes(200 * len(self.kinds) + 50)  # of `_exp` in Python


class _Tabled(_Link, Over):
    """A link whose batch form looks up powers of two."""

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the tables of `_all_exp`."""
        import numpy as np

        return np.array(_STEPS), 2.0 ** np.arange(LEAST_POWER, 129, dtype=float)


class Exp(_Tabled):
    """`exp(x)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean a column."""
        return rounded([_exp(v) for v in x])

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return _single(xp, _all_exp(xp, x, *arrays))


class Sigmoid(_Tabled):
    """`1 / (1 + exp(-x))`, each step rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a column."""
        steps = rounded([_exp(min(-v, 88.69999694824219)) for v in x])  # 88.7f
        return rounded([1.0 / v for v in rounded([step + 1.0 for step in steps])])

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        y = -x
        steps = _single(xp, _all_exp(xp, xp.where(y > 88.69999694824219, 88.69999694824219, y), *arrays))
        return _single(xp, 1.0 / _single(xp, steps + 1.0))


class Both(_Tabled):
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
        return rounded([1.0 - x[0], x[0]])

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return _single(xp, xp.stack([1.0 - x[:, 0], x[:, 0]], axis=1))


class Softmax(_Tabled):
    """`exp(x - max(x))` over the sum, which is added in double precision and rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one probability a column."""
        top = max(x)
        parts = rounded([_exp(v) for v in rounded([v - top for v in x])])
        whole = 0.0
        for part in parts:
            whole += part
        (whole,) = rounded([whole])
        return rounded([part / whole for part in parts]) if whole else [nan] * len(parts)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        parts = _single(xp, _all_exp(xp, _single(xp, x - xp.max(x, axis=1, keepdims=True)), *arrays))
        whole = xp.zeros_like(parts[:, 0])
        for column in range(len(self.kinds)):  # in this order, as the rows are added
            whole = whole + parts[:, column]
        return _single(xp, parts / _single(xp, whole)[:, None])


class Rising(_Link):
    """The first sum, then each value `softplus(x) + 1e-6` above the one before it: several expectiles, which do not cross."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one expectile a column."""
        steps = rounded([log1p(part) for part in rounded([_exp(-abs(v)) for v in x[1:]])])
        steps = rounded([max(v, 0.0) + step for v, step in zip(x[1:], steps, strict=True)])
        y = array("f", x[:1])
        for step in rounded([step + GAP for step in steps]):
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
