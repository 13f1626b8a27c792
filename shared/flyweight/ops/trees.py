"""Sums of decision trees, bit for bit as scikit-learn adds them.

All trees of a model lie in flat arrays, each tree in preorder: a node's left child is the next node, so that a tree can't
hold a cycle, and `right` holds the other child. A leaf has `feature` below zero: `~feature` is its row in `leaves`.
Left is `x[feature] <= threshold`; a missing value goes left where `missing` is 1.
"""

from array import array
from functools import reduce
from math import isinf, isnan
from operator import add

from flyweight.errors import Fault, InvalidInput, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class Sum:
    """`base` plus one leaf of each tree, in the order of the trees, over `divide` where that is given.

    Leaves of one number go to the tree's own output `targets[tree]`, wider leaves to all outputs.
    With `single`, inputs are rounded to float32 first, as `sklearn.tree` does; `HistGradientBoosting` does not.
    `exact` says whether the estimator's own sum is free of fused operations, so that ours equals it bit for bit.
    Categorical splits: `split[node]` is a row of `goes_left`, 256 flags by category, or -1 for a numeric split.
    """

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.exact = bool(node.choice("exact", (True, False)))
        self._single = node.choice("single", (True, False))
        self._names = node.items("names", (str,), width) if self._single else []
        self._base = node.floats("base", None)
        self._divide = node.whole("divide", 1, 1_000_000) if node.choice("mean", (True, False)) else None
        self.kinds = "n" * len(self._base)
        self._read_nodes(node, width)
        self._read_leaves(node)
        self._read_categories(node)

    def _read_nodes(self, node: "Node", width: int) -> None:
        feature: list[int] = node.array("feature", "I16 I32", (None,)).values.tolist()
        count = len(feature)
        self._threshold = node.floats("threshold", count)
        self._right: list[int] = node.array("right", "I16 I32", (count,)).values.tolist()
        self._roots = node.indices("roots", count, None)
        node.expect(bool(self._roots), "it has no tree")
        node.expect(not feature or max(feature) < width, f"a node splits on a feature beyond the {width} that there are")
        node.expect(not feature or feature[-1] < 0, "the last node is not a leaf, so that its left child is missing")
        sound = all([f < 0 or i < r < count for i, (f, r) in enumerate(zip(feature, self._right, strict=True))])
        node.expect(sound, "a right child does not come after its node")
        self._feature = feature
        self._missing = node.flags("missing", count)

    def _read_leaves(self, node: "Node") -> None:
        tensor = node.array("leaves", "F64", (None, None))
        rows, columns = tensor.shape
        node.expect(not self._feature or -min(self._feature) <= rows, "a leaf's value is not in the file")
        flat = tensor.values.tolist()
        self._targets: list[int] | None = None
        if columns == 1:
            self._scalars = flat
            if len(self._base) > 1:
                self._targets = node.indices("targets", len(self._base), len(self._roots))
        else:
            node.expect(columns == len(self._base), "leaves and 'base' differ in width")
            self._vectors = [flat[start : start + columns] for start in range(0, rows * columns, columns)]
        self._wide = columns > 1

    def _read_categories(self, node: "Node") -> None:
        self._split: list[int] | None = None
        if node.has("split"):
            self._goes_left = node.flags("goes_left", None, 256)
            rows = len(self._goes_left) // 256
            self._split = node.array("split", "I16 I32", (len(self._feature),)).values.tolist()
            node.expect(all(-1 <= row < rows for row in self._split), "a split's categories are not in the file")

    def row(self, x: "list[float]") -> "list[float]":
        """The sums."""
        if self._single:
            x = self._rounded(x)
        if self._split is not None:
            leaves = self._leaves_by_category(x)
        elif isnan(sum(x)):  # one pass in C; infinities of both signs also end up here
            leaves = self._leaves_if_missing(x)
        else:
            leaves = self._leaves(x)
        y = self._added(leaves)
        return y if self._divide is None else [v / self._divide for v in y]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values (for parity only), an upper bound for each output."""
        x = self._rounded(x) if self._single else x
        leaves = self._leaves_if_missing(x) if self._split is None else self._leaves_by_category(x)
        rows = [max(map(abs, self._vectors[leaf])) if self._wide else abs(self._scalars[leaf]) for leaf in leaves]
        return [abs(base) + sum(rows) for base in self._base]

    def _rounded(self, x: "list[float]") -> "list[float]":
        rounded = array("f", x).tolist()
        if any(map(isinf, rounded)):
            position = next(p for p, v in enumerate(rounded) if isinf(v))
            raise InvalidInput(Fault("a number within float32's range", shown(x[position]), feature=self._names[position]))
        return rounded

    def _leaves(self, x: "list[float]") -> "list[int]":
        """The leaf that each tree ends in (the innermost loop: one comparison a level and no more)."""
        feature, threshold, right = self._feature, self._threshold, self._right
        found = []
        for i in self._roots:
            f = feature[i]
            while f >= 0:
                i = i + 1 if x[f] <= threshold[i] else right[i]
                f = feature[i]
            found.append(~f)
        return found

    def _leaves_if_missing(self, x: "list[float]") -> "list[int]":
        feature, threshold, right, missing = self._feature, self._threshold, self._right, self._missing
        found = []
        for i in self._roots:
            f = feature[i]
            while f >= 0:
                v = x[f]
                i = i + 1 if (v <= threshold[i] if v == v else missing[i]) else right[i]
                f = feature[i]
            found.append(~f)
        return found

    def _leaves_by_category(self, x: "list[float]") -> "list[int]":
        feature, threshold, right, missing, split = self._feature, self._threshold, self._right, self._missing, self._split
        assert split is not None
        found = []
        for i in self._roots:
            f = feature[i]
            while f >= 0:
                v, row = x[f], split[i]
                if row >= 0:  # a category outside 0..255 counts as missing (`_predict_one_from_raw_data`)
                    left = self._goes_left[row * 256 + int(v)] if 0.0 <= v < 256.0 else missing[i]
                else:
                    left = v <= threshold[i] if v == v else missing[i]
                i = i + 1 if left else right[i]
                f = feature[i]
            found.append(~f)
        return found

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
