"""Add the leaves of decision trees, bit for bit as scikit-learn adds them; `_forest.py` holds the trees."""

from math import isfinite, isinf

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._forest import CHECKED_NODES, Forest
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node
    from flyweight.ops._forest_batch import BatchWalk
    from flyweight.ops._forest_levels import Levels
    from flyweight.ops._forest_masks import Masks
    from flyweight.ops._forest_sums import Added

    Array = np.ndarray[Any, Any]


class Sum:
    """`base` plus one leaf of each tree, in the order of the trees, divided by `divide` with `mean`.

    Leaves of one number go to the tree's own output `targets[tree]`, wider leaves to all outputs.
    With `single`, inputs are rounded to float32 first, as `sklearn.tree` does; `HistGradientBoosting` does not.
    `exact` says whether the estimator's own sum is free of fused operations, so that ours equals it bit for bit.
    `columns` has the leaves' values, one column an output or one for all.

    :raises ModelRefused: the arrays do not fit each other, or a tree is damaged.
    """

    def __init__(self, node: "Node") -> None:
        inputs = node.numbers()
        self.exact = bool(node.choice("exact", (True, False)))
        self._single = node.choice("single", (True, False))
        self._names = node.items("names", (str,), inputs) if self._single else []
        if self._single:
            from flyweight.ops._singles import rounded  # imported late: other trees need no module in C

            self._singles = rounded
        self.base = node.floats("base", None)
        self._divide = node.whole("divide", 1, 1_000_000) if node.choice("mean", (True, False)) else None
        self.kinds = "n" * len(self.base)
        leaves = node.array("leaves", "F64", (None, None))
        rows, width = leaves.shape
        node.expect(len(self.base) > 0, "it has no output")
        node.expect(width in (1, len(self.base)), "leaves and 'base' differ in width")
        columns = [leaves.values[column::width] for column in range(width)]
        # beyond this number leaves stay in the file, as nodes do
        self.columns: list[Any] = [c.tolist() for c in columns] if rows * width <= CHECKED_NODES else columns
        self._forest = Forest(node, inputs, rows)
        self.grows = self._forest.grows
        self._walk: BatchWalk | None = None
        self._targets: list[int] | None = None
        self._sums: Added | None = None
        self._is_masked = False
        node.takes_usual(len(self.base))
        node.takes(3 * self._forest.count * width)  # several trees may end in one leaf
        if width < len(self.base):
            self._targets = node.indices("targets", len(self.base), self._forest.count)

    def leaves(self, x: "list[float]") -> "list[int]":
        """Return the number of the leaf that each tree ends in.

        :raises InvalidInput: a number is beyond float32, and the op rounds to float32.
        """
        return self._forest.leaves(self._rounded(x) if self._single else x)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum an output.

        :raises InvalidInput: a number is beyond float32, and the op rounds to float32.
        """
        if self._sums is None:
            y = self._added(self.leaves(x))
            if self._forest.masks is not None and not self._is_masked:
                self._take_masks(self._forest.masks)
        else:
            x = self._rounded(x) if self._single else x
            y = self._sums(x, isfinite(sum(x)))  # an infinity only leads to the slower look-up
        return y if self._divide is None else [v / self._divide for v in y]

    def batch(self, x: "Array") -> "Array":
        """Answer all rows of an array; the terms are added in the same order.

        :raises InvalidInput: a number is beyond float32, and the op rounds to float32.
        """
        import numpy as np

        from flyweight.ops._forest_batch import BatchWalk

        self._walk = self._walk or BatchWalk(self._forest)
        rounded = self._rounded_batch(x) if self._single else x
        y = self._walk.sums(rounded, np.array(self.base), self.columns, self._targets)
        return y if self._divide is None else y / self._divide

    @cached_property
    def levels(self) -> "Levels":
        """Lay the trees out for walks in any namespace."""
        from flyweight.ops._forest_levels import Levels

        return Levels(self._forest, "float32" if self._single else "float64")

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the leaves' values, one array a column, and the layout of the trees."""
        import numpy as np

        return tuple([np.array(column, dtype=float) for column in self.columns]), self.levels.arrays

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`; the terms are added in the same order."""
        columns, layout = arrays
        x = xp.astype(x, xp.float32) if self._single else x
        y = [xp.zeros_like(x[:, 0], dtype=xp.float64) + base for base in self.base]
        for tree, terms in self.levels.terms(xp, layout, x, columns):
            for output, term in enumerate(terms) if self._targets is None else [(self._targets[tree], terms[0])]:
                y[output] = y[output] + term
        return xp.stack(y, axis=1) if self._divide is None else xp.stack(y, axis=1) / self._divide

    def refuses(self, xp: "Any", x: "Any") -> "Any":
        """Say whether a number of any row is beyond float32, and the op rounds to float32."""
        return xp.any(xp.isinf(xp.astype(x, xp.float32))) if self._single else False

    def _take_masks(self, masks: "Masks") -> None:
        """Make what adds the leaves that masks find."""
        from flyweight.ops import _forest_sums  # imported late: it is for processes that answer many rows

        self._sums = _forest_sums.made(masks, self.columns, self.base, self._targets)
        self._is_masked = True

    def _rounded(self, x: "list[float]") -> "list[float]":
        """Round to float32.

        :raises InvalidInput: a number is beyond float32.
        """
        rounded = self._singles(x)
        if not isfinite(sum(rounded)):  # because of a missing value, or of one that is too large
            self._refuse_infinite(x, rounded)
        return rounded

    def _rounded_batch(self, x: "Array") -> "Array":
        """Round an array to float32.

        :raises InvalidInput: a number is beyond float32.
        """
        import numpy as np

        with np.errstate(over="ignore"):
            rounded = x.astype(np.float32)
        infinite = np.isinf(rounded).any(axis=1)
        if infinite.any():
            first = int(np.flatnonzero(infinite)[0])
            self._refuse_infinite(x[first].tolist(), rounded[first].tolist())
        return rounded

    def _refuse_infinite(self, x: "list[float]", rounded: "list[float]") -> None:
        """Refuse a row of which a number is infinite in float32.

        :raises InvalidInput: there is such a number.
        """
        for position, v in enumerate(rounded):
            if isinf(v):
                raise InvalidInput(Fault("a number within float32's range", preview(x[position]), feature=self._names[position]))

    def _added(self, leaves: "list[int]") -> "list[float]":
        """Add the leaves' values one by one: `sum` rounds differently from Python 3.12 on, and `reduce` is slower."""
        if self._targets is not None:
            y, values = self.base.copy(), self.columns[0]
            for leaf, target in zip(leaves, self._targets):  # noqa: B905 - strict=True takes longer
                y[target] += values[leaf]
            return y
        y = []
        for column, total in zip(self.columns, self.base, strict=True):
            for leaf in leaves:
                total += column[leaf]
            y.append(total)
        return y


OPS = {"sum": Sum}
