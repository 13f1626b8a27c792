"""Sums of trees and their links in single precision, as XGBoost computes them (3.x: `src/predictor/`, `src/common/math.h`).

Every value is a float32, held in a Python float; each step rounds as C does. Sums are equal bit for bit. The links rest on
`expf`, which here is glibc's (`sysdeps/ieee754/flt-32/e_expf.c`); where XGBoost was built upon another, its own answers differ
by a unit in the last place, and `precision` says how far, relative to the scale, that may go.
"""

from array import array
from math import inf, ldexp, nan

from flyweight.ops._forest import Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Array = np.ndarray[Any, Any]

PRECISION = 2.0**-22  # two units in the last place, at worst


def _rounded(values: "list[float]") -> "list[float]":
    """The nearest float32 of each, infinite beyond the range."""
    return array("f", values).tolist()


_STEPS = [2.0 ** (j / 32.0) for j in range(32)]


def _exp(x: float) -> float:
    """`expf` before its last rounding: 2**(k/32) times a cubic in what remains of `x * 32 / ln 2`."""
    if not -150.0 < x <= 88.72283172607422:  # overflow, or so small that it rounds to zero
        return inf if x > 0.0 else 0.0 if x < 0.0 else nan
    z = x * (1.4426950408889634 * 32.0)
    k = round(z)
    r = z - k
    cubic = (0.05550361559341535 / 32768.0 * r + 0.2402284522445722 / 1024.0) * (r * r) + (0.6931471806916203 / 32.0 * r + 1.0)
    return ldexp(cubic * _STEPS[k % 32], k // 32)


class Rounded:
    """Inputs as float32, and those equal to one of `missing` as NaN."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        missing = node.items("missing", (int, float))
        node.expect(all(-1e300 < v < 1e300 for v in missing), "'missing' holds more than numbers")
        self._missing = frozenset(_rounded(missing))

    def row(self, x: "list[float]") -> "list[float]":
        """The rounded values."""
        y = _rounded(x)
        return [nan if v in self._missing else v for v in y] if self._missing else y

    def batch(self, x: "Array") -> "Array":
        """The rounded values of many rows."""
        import numpy as np

        with np.errstate(over="ignore"):
            y = x.astype(np.float32).astype(float)
        y[np.isin(y, [*self._missing])] = nan
        return y


class Category:
    """Categories that came as numbers: cut to whole ones, and any that is not from 0 to its column's `limits` becomes that limit.

    A limit of 0 leaves a column as it is. XGBoost sends a category that a split does not know left, a missing one elsewhere.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        self._limits = node.items("limits", (int,), len(self.kinds))
        node.expect(all(0 <= limit < 1 << 31 for limit in self._limits), "a limit is no category")

    def row(self, x: "list[float]") -> "list[float]":
        """The categories."""
        return [
            v if not limit or v != v else float(int(v)) if 0.0 <= v < limit else float(limit)
            for v, limit in zip(x, self._limits, strict=True)
        ]


class Sum:
    """`base` plus one leaf of each tree, one after the other; one number to the tree's output, or one to each output."""

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._base = node.floats("base", None)
        self.kinds = "n" * len(self._base)
        node.expect(self.kinds != "", "it gives nothing")
        rows, columns = node.array("leaves", "F64", (None, None)).shape
        flat = _rounded(node.floats("leaves", rows, columns))
        self._forest = Forest(node, width, rows)
        self._targets: list[int] | None = None
        self._leaves: list[list[float]] = []
        if columns == 1:
            self._scalars = flat
            self._targets = node.indices("targets", len(self._base), self._forest.count)
        else:
            node.expect(columns == len(self._base), "leaves and 'base' differ in width")
            self._leaves = [flat[start : start + columns] for start in range(0, len(flat), columns)]

    def row(self, x: "list[float]") -> "list[float]":
        """The sums."""
        y = array("f", self._base)  # rounds what is put in
        if self._targets is None:
            for leaf in self._forest.leaves(x):
                y = array("f", [a + b for a, b in zip(y, self._leaves[leaf], strict=True)])
        else:
            for leaf, target in zip(self._forest.leaves(x), self._targets, strict=True):
                y[target] += self._scalars[leaf]
        return y.tolist()

    def batch(self, x: "Array") -> "Array":
        """The sums of many rows."""
        import numpy as np

        table = np.array(self._leaves or [[v] for v in self._scalars], dtype=np.float32)
        leaves = self._forest.leaves_batch(x)
        y = np.repeat(np.array([self._base], dtype=np.float32), len(x), axis=0)
        for tree in range(self._forest.count):
            to = slice(None) if self._targets is None else slice(self._targets[tree], self._targets[tree] + 1)
            y[:, to] += table[leaves[:, tree]]
        wide: Array = y.astype(float)
        return wide


class _Link:
    """From sums to answers."""

    exact = False
    precision = PRECISION

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one sum")


class Exp(_Link):
    """`exp(x)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """The means."""
        return _rounded([_exp(v) for v in x])

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The means' own size, where they are finite."""
        return [v if v < inf else 0.0 for v in self.row(x)]


class Sigmoid(_Link):
    """`1 / (1 + exp(-x))`, each step rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        steps = _rounded([_exp(min(-v, 88.69999694824219)) for v in x])  # 88.7f
        return _rounded([1.0 / v for v in _rounded([step + 1.0 for step in steps])])


class Both(_Link):
    """`1 - p` and p: the two classes of one probability."""

    exact = True

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(len(self.kinds) == 1, "takes one probability")
        self.kinds = "nn"

    def row(self, x: "list[float]") -> "list[float]":
        """The two probabilities."""
        return _rounded([1.0 - x[0], x[0]])


class Softmax(_Link):
    """`exp(x - max(x))` over the sum, which is made in double precision and rounded."""

    def row(self, x: "list[float]") -> "list[float]":
        """The probabilities."""
        top = max(x)
        parts = _rounded([_exp(v) for v in _rounded([v - top for v in x])])
        whole = 0.0
        for part in parts:
            whole += part
        (whole,) = _rounded([whole])
        return _rounded([part / whole for part in parts]) if whole else [nan] * len(parts)


OPS = {
    "rounded": Rounded,
    "category": Category,
    "sum": Sum,
    "exp": Exp,
    "sigmoid": Sigmoid,
    "both": Both,
    "softmax": Softmax,
}
