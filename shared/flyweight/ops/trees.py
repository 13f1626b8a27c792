"""Sums of decision trees, bit for bit as scikit-learn adds them; the trees' own form is `_forest.py`'s."""

from array import array
from functools import reduce
from math import isinf
from operator import add

from flyweight.errors import Fault, InvalidInput, shown
from flyweight.ops._forest import Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class Sum:
    """`base` plus one leaf of each tree, in the order of the trees, over `divide` where that is given.

    Leaves of one number go to the tree's own output `targets[tree]`, wider leaves to all outputs.
    With `single`, inputs are rounded to float32 first, as `sklearn.tree` does; `HistGradientBoosting` does not.
    `exact` says whether the estimator's own sum is free of fused operations, so that ours equals it bit for bit.
    """

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.exact = bool(node.choice("exact", (True, False)))
        self._single = node.choice("single", (True, False))
        self._names = node.items("names", (str,), width) if self._single else []
        self._base = node.floats("base", None)
        self._divide = node.whole("divide", 1, 1_000_000) if node.choice("mean", (True, False)) else None
        self.kinds = "n" * len(self._base)
        rows, columns = node.array("leaves", "F64", (None, None)).shape
        self._forest = Forest(node, width, rows)
        self._read_leaves(node, rows, columns)

    def _read_leaves(self, node: "Node", rows: int, columns: int) -> None:
        flat = node.floats("leaves", rows, columns)
        self._targets: list[int] | None = None
        if columns == 1:
            self._scalars = flat
            if len(self._base) > 1:
                self._targets = node.indices("targets", len(self._base), self._forest.count)
        else:
            node.expect(columns == len(self._base), "leaves and 'base' differ in width")
            self._vectors = [flat[start : start + columns] for start in range(0, rows * columns, columns)]
        self._wide = columns > 1

    def row(self, x: "list[float]") -> "list[float]":
        """The sums."""
        y = self._added(self._forest.leaves(self._rounded(x) if self._single else x))
        return y if self._divide is None else [v / self._divide for v in y]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values (for parity only), an upper bound for each output."""
        leaves = self._forest.leaves(self._rounded(x) if self._single else x)
        rows = [max(map(abs, self._vectors[leaf])) if self._wide else abs(self._scalars[leaf]) for leaf in leaves]
        return [abs(base) + sum(rows) for base in self._base]

    def _rounded(self, x: "list[float]") -> "list[float]":
        rounded = array("f", x).tolist()
        if any(map(isinf, rounded)):
            position = next(p for p, v in enumerate(rounded) if isinf(v))
            raise InvalidInput(Fault("a number within float32's range", shown(x[position]), feature=self._names[position]))
        return rounded

    def _added(self, leaves: "list[int]") -> "list[float]":
        """The leaves' values added one by one: `sum` would round differently from Python 3.12 on."""
        if self._wide:
            columns = zip(*[self._vectors[leaf] for leaf in leaves], strict=True)
            return [reduce(add, column, base) for column, base in zip(columns, self._base, strict=True)]
        scalars = self._scalars
        if self._targets is None:
            return [reduce(add, [scalars[leaf] for leaf in leaves], self._base[0])]
        y = self._base.copy()
        for leaf, target in zip(leaves, self._targets, strict=True):
            y[target] += scalars[leaf]
        return y


OPS = {"sum": Sum}
