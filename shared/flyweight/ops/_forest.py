"""The nodes of decision trees, checked, and the leaf that each tree ends in for one instance.

All trees of a model lie in flat arrays, each tree in preorder: a node's left child is the next node, so that a tree can't
hold a cycle, and `right` holds the other child. A leaf has `feature` below zero: `~feature` is its number.
Left is `x[feature] <= threshold`; a missing value goes left where `missing` is 1.
Categorical splits: `split[node]` is a row of `goes_left`, one flag a category, or -1 for a numeric split.
"""

from math import isnan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class Forest:
    """Trees over `width` columns; `count` of them, whose leaves are numbered below `leaves`."""

    def __init__(self, node: "Node", width: int, leaves: int) -> None:
        feature: list[int] = node.array("feature", "I16 I32", (None,)).values.tolist()
        count = len(feature)
        self._threshold = node.floats("threshold", count)
        self._right: list[int] = node.array("right", "I16 I32", (count,)).values.tolist()
        self._roots = node.indices("roots", count, None)
        self.count = len(self._roots)
        node.expect(bool(self._roots), "it has no tree")
        node.expect(not feature or max(feature) < width, f"a node splits on a feature beyond the {width} that there are")
        node.expect(not feature or feature[-1] < 0, "the last node is not a leaf, so that its left child is missing")
        sound = all([f < 0 or i < r < count for i, (f, r) in enumerate(zip(feature, self._right, strict=True))])
        node.expect(sound, "a right child does not come after its node")
        node.expect(not feature or -min(feature) <= leaves, "a leaf's value is not in the file")
        self._feature = feature
        self._missing = node.flags("missing", count)
        self._read_categories(node)

    def _read_categories(self, node: "Node") -> None:
        self._split: list[int] | None = None
        if node.has("split"):
            rows, self._categories = node.array("goes_left", "U8", (None, None)).shape
            self._goes_left = node.flags("goes_left", rows, self._categories)
            self._split = node.array("split", "I16 I32", (len(self._feature),)).values.tolist()
            node.expect(all(-1 <= row < rows for row in self._split), "a split's categories are not in the file")

    def leaves(self, x: "list[float]") -> "list[int]":
        """The number of the leaf that each tree ends in."""
        if self._split is not None:
            return self._leaves_by_category(x)
        if isnan(sum(x)):  # one pass in C; infinities of both signs also end up here
            return self._leaves_if_missing(x)
        return self._leaves(x)

    def _leaves(self, x: "list[float]") -> "list[int]":
        """The innermost loop: one comparison a level and no more."""
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
        width = self._categories
        found = []
        for i in self._roots:
            f = feature[i]
            while f >= 0:
                v, row = x[f], split[i]
                if row >= 0:  # a category beyond the table counts as missing
                    left = self._goes_left[row * width + int(v)] if 0.0 <= v < width else missing[i]
                else:
                    left = v <= threshold[i] if v == v else missing[i]
                i = i + 1 if left else right[i]
                f = feature[i]
            found.append(~f)
        return found
