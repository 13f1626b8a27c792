"""Sums of decision trees, bit for bit as scikit-learn adds them; the trees' own form is `_forest.py`'s."""

from array import array
from math import isfinite, isinf

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._forest import CHECKED_NODES, Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Array = np.ndarray[Any, Any]


class Sum:
    """`base` plus one leaf of each tree, in the order of the trees, over `divide` where that is given.

    Leaves of one number go to the tree's own output `targets[tree]`, wider leaves to all outputs.
    With `single`, inputs are rounded to float32 first, as `sklearn.tree` does; `HistGradientBoosting` does not.
    `exact` says whether the estimator's own sum is free of fused operations, so that ours equals it bit for bit.
    """

    def __init__(self, node: "Node") -> None:
        inputs = node.numbers()
        self.exact = bool(node.choice("exact", (True, False)))
        self._single = node.choice("single", (True, False))
        self._names = node.items("names", (str,), inputs) if self._single else []
        self._base = node.floats("base", None)
        self._divide = node.whole("divide", 1, 1_000_000) if node.choice("mean", (True, False)) else None
        self.kinds = "n" * len(self._base)
        leaves = node.array("leaves", "F64", (None, None))
        rows, width = leaves.shape
        node.expect(len(self._base) > 0, "it has no output")
        node.expect(width in (1, len(self._base)), "leaves and 'base' differ in width")
        columns = [leaves.values[column::width] for column in range(width)]
        # so many leaves stay in the file, as so many nodes do
        self._columns: list[Any] = [c.tolist() for c in columns] if rows * width <= CHECKED_NODES else columns
        self._forest = Forest(node, inputs, rows)
        self._targets: list[int] | None = None
        if width < len(self._base):
            self._targets = node.indices("targets", len(self._base), self._forest.count)

    def row(self, x: "list[float]") -> "list[float]":
        """The sums."""
        y = self._added(self._forest.leaves(self._rounded(x) if self._single else x))
        return y if self._divide is None else [v / self._divide for v in y]

    def batch(self, x: "Array") -> "Array":
        """The sums of many rows; their terms are added in the same order."""
        import numpy as np

        leaves = self._forest.leaves_batch(self._rounded_batch(x) if self._single else x)
        columns = [np.ascontiguousarray(column) for column in self._columns]
        y = np.repeat(np.array(self._base)[:, None], len(x), axis=1)
        for tree in range(self._forest.count):
            ended = leaves[:, tree]
            for output, column in enumerate(columns) if self._targets is None else [(self._targets[tree], columns[0])]:
                y[output] += column.take(ended)
        return y.T if self._divide is None else y.T / self._divide

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values (for parity only), an upper bound for each output."""
        leaves = self._forest.leaves(self._rounded(x) if self._single else x)
        largest = sum([max([abs(column[leaf]) for column in self._columns]) for leaf in leaves])
        return [abs(base) + largest for base in self._base]

    def _rounded(self, x: "list[float]") -> "list[float]":
        rounded = array("f", x).tolist()
        if not isfinite(sum(rounded)):  # of a missing value, or one too large
            self._refuse_infinite(x, rounded)
        return rounded

    def _rounded_batch(self, x: "Array") -> "Array":
        import numpy as np

        with np.errstate(over="ignore"):
            rounded = x.astype(np.float32)
        infinite = np.isinf(rounded).any(axis=1)
        if infinite.any():
            first = int(np.flatnonzero(infinite)[0])
            self._refuse_infinite(x[first].tolist(), rounded[first].tolist())
        return rounded

    def _refuse_infinite(self, x: "list[float]", rounded: "list[float]") -> None:
        for position, v in enumerate(rounded):
            if isinf(v):
                raise InvalidInput(Fault("a number within float32's range", preview(x[position]), feature=self._names[position]))

    def _added(self, leaves: "list[int]") -> "list[float]":
        """The leaves' values added one by one: `sum` would round differently from Python 3.12 on, and `reduce` is slower."""
        if self._targets is not None:
            y = self._base.copy()
            for leaf, target in zip(leaves, self._targets, strict=True):
                y[target] += self._columns[0][leaf]
            return y
        y = []
        for column, total in zip(self._columns, self._base, strict=True):
            for leaf in leaves:
                total += column[leaf]
            y.append(total)
        return y


OPS = {"sum": Sum}
