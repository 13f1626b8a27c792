"""The nodes of decision trees, and the leaf that each tree ends in for one instance, or for many.

All trees of a model lie in flat arrays, one tree after the other. A node's left child is the next node, and between that and
the right child lie `over` nodes, a number without a sign: whatever a file holds, each step leads forward, so that every walk
ends, and what lies outside the arrays is an IndexError. A leaf has `feature` below zero: `~feature` is its number.
Left is `x[feature] <= threshold`; a missing value goes left where `missing` is 1 (without that array, right).
Categorical splits: `split[node]` is a row of `goes_left`, one flag a category, and their threshold is NaN; it is -1 elsewhere.
A category beyond the table counts as missing.

How the nodes are held is a matter of speed (docs/decisions/0009). At first they stay as they lie in the file, so that loading
costs next to nothing; requests after the first then turn some trees each into nested tuples, which walk three times as fast.
Up to CHECKED_NODES every node is checked when the model is loaded. Beyond that a bad node is refused by whoever comes to it,
and beyond KEPT_NODES no copy is made at all: a request reads the pages of the file that its walks lead to, and no others.
"""

from math import isfinite, nan
from operator import add, lt, sub

from flyweight.errors import ModelRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Array = np.ndarray[Any, Any]
    Tuples = tuple[Any, ...]

# Measured on Python 3.13: 0.05 us to check a node, 0.15 to 0.3 us and 60 to 120 bytes to turn one into tuples.
CHECKED_NODES = 50_000  # 2.5 ms of a cold start
KEPT_NODES = 500_000  # 30 to 60 MB at most
STEP_NODES = 2_000  # so many at a time, 0.5 ms of a request; a tree is never taken apart
LARGEST_TREE = 10_000  # nodes; a forest with a larger tree stays in the file, or one request would wait for milliseconds


class Forest:
    """Trees over `width` columns; `count` of them, whose leaves are numbered below `leaves`."""

    def __init__(self, node: "Node", width: int, leaves: int) -> None:
        self.feature = node.array("feature", "I16 I32", (None,)).values
        nodes = len(self.feature)
        self.threshold = node.array("threshold", "F32 F64", (nodes,)).values
        self.over = node.array("over", "U16 U32", (nodes,)).values
        self.missing: Any = node.array("missing", "U8", (nodes,)).values if node.has("missing") else None
        self.count, self.width, self.leaf_count = 0, width, leaves
        self._read_trees(node, nodes)
        self._read_categories(node, nodes)
        self._is_checked = nodes <= CHECKED_NODES
        if self._is_checked:
            self._check(0, self.count)
        self.is_kept = nodes <= KEPT_NODES  # whether copies of the nodes may be
        self.packed: Any = None  # what `_forest_batch` made of all nodes
        self._trees: list[Tuples] = []  # those that are tuples by now
        self._grows, self._was_asked = self.is_kept and max(map(sub, self.ends, self.roots)) <= LARGEST_TREE, False

    def _read_trees(self, node: "Node", nodes: int) -> None:
        self.roots = node.indices("roots", nodes, None)
        node.expect(self.roots[:1] == [0], "it has no tree, or its first node is in none")
        self.ends = [*self.roots[1:], nodes]
        node.expect(all(map(lt, self.roots, self.ends)), "the roots of its trees are not in order")
        self.count = len(self.roots)

    def _read_categories(self, node: "Node", nodes: int) -> None:
        self.split: Any = None
        if node.has("split"):
            table = node.array("goes_left", "U8", (None, None))
            self.goes_left, (self.tables, self.categories) = table.values, table.shape
            node.expect(self.categories > 0 or not self.tables, "its tables have no category")
            self.split = node.array("split", "I16 I32", (nodes,)).values

    def _check(self, first: int, last: int) -> None:
        """Every node of the trees from `first` up to `last`, as far as whole arrays can be compared at once."""
        begin, stop = self.roots[first], self.ends[last - 1]
        feature, over = self.feature[begin:stop].tolist(), self.over[begin:stop].tolist()
        if max(feature) >= self.width or -min(feature) > self.leaf_count:
            raise refusal("splits on a feature, or ends in a leaf, that is not there")
        if self.split is not None and max(self.split[begin:stop].tolist()) >= self.tables:
            raise refusal("names categories that are not there")
        for root, end in zip(self.roots[first:last], self.ends[first:last], strict=True):
            start, end = root - begin, end - begin
            farthest = max(map(add, over[start : end - 1], range(start, end)), default=-1)
            if feature[end - 1] >= 0 or over[end - 1] or farthest > end - 2:
                raise refusal("leads out of its tree")

    def leaves(self, x: "list[float]") -> "list[int]":
        """The number of the leaf that each tree ends in.

        :raises ModelRefused: a node that this walk came to is not sound; never of a forest that was checked when loaded.
        """
        trees = self._trees
        if self.split is None and isfinite(sum(x)):  # one pass in C; infinities lead to the slower walk, no more
            found = _leaves(trees, x)
        else:
            found = _leaves_of_any(trees, x)
        if len(trees) < self.count:
            found += self._mapped(x, len(trees))
            if self._grows and self._was_asked:  # the first answer is waited for the most
                self._trees = [*trees, *self._more(len(trees))]  # a new list: another thread may be walking the old one
            self._was_asked = True
        return found

    def _more(self, first: int) -> "list[Tuples]":
        """The next trees as tuples."""
        start, last = self.roots[first], first + 1
        while last < self.count and self.ends[last] - start <= STEP_NODES:
            last += 1
        if not self._is_checked:
            self._check(first, last)
        nodes = self._tuples(start, self.ends[last - 1])
        return [nodes[start - root - 1] for root in self.roots[first:last]]

    def leaves_batch(self, x: "Array") -> "Array":
        """The same for many instances: from shape (rows, columns), float32 or float64, to whole numbers (rows, trees).

        :raises ModelRefused: a node leads out of its tree.
        """
        from flyweight.ops import _forest_batch

        return _forest_batch.leaves(self, x)

    def _tuples(self, start: int, end: int) -> "list[Any]":
        """The nodes from `start` up to `end`, the last one first: so each child is there before the node that points to it.

        A node is `(feature, threshold, left, right, where missing values go)`; a leaf has its number first, then nothing.
        A categorical split is `(feature, NaN, None, None, (flags, left, right, where others go))`.
        """
        feature = self.feature[start:end].tolist()
        missing = bytes(len(feature)) if self.missing is None else self.missing[start:end].tobytes()
        split = None if self.split is None else self.split[start:end].tolist()
        leaf = {f: (~f, None, None, None, None) for f in set(feature) if f < 0}
        nodes: list[Any] = []
        node: Any = None
        arrays = [feature, self.threshold[start:end].tolist(), self.over[start:end].tolist(), missing]
        for f, t, over, left_if_missing in zip(*[values[::-1] for values in arrays], strict=True):
            if f < 0:
                node = leaf[f]
            else:
                right = nodes[~over]
                beyond = node if left_if_missing else right
                if split is None or split[~len(nodes)] < 0:
                    node = (f, t, node, right, beyond)
                else:
                    node = (f, nan, None, None, (self._flags(split[~len(nodes)]), node, right, beyond))
            nodes.append(node)
        return nodes

    def _flags(self, row: int) -> bytes:
        flags: bytes = self.goes_left[row * self.categories : (row + 1) * self.categories].tobytes()
        return flags

    def _mapped(self, x: "list[float]", first: int) -> "list[int]":
        """The leaves of the trees from `first` on, from the arrays as they lie in the file."""
        feature, threshold, over, split = self.feature, self.threshold, self.over, self.split
        found = []
        try:
            for i, end in zip(self.roots[first:], self.ends[first:], strict=True):
                f = feature[i]
                while f >= 0:
                    v = x[f]
                    if v <= threshold[i]:
                        i += 1
                    elif v == v and (split is None or split[i] < 0):
                        i += 1 + over[i]
                    else:
                        i += 1 if self._goes_left(i, v) else 1 + over[i]
                    f = feature[i]
                found.append(~f)
                if i >= end:  # each step led forward: the last one tells of all
                    raise IndexError
        except IndexError:
            raise refusal("leads out of its tree") from None
        if max(found) >= self.leaf_count:
            raise refusal("ends in a leaf that is not there")
        return found

    def _goes_left(self, i: int, v: float) -> bool:
        """Whether a category, or a missing value, goes left at a node."""
        row = -1 if self.split is None else self.split[i]
        if row >= 0 and 0.0 <= v < self.categories:
            return bool(self.goes_left[row * self.categories + int(v)])
        return self.missing is not None and bool(self.missing[i])


def refusal(fault: str) -> ModelRefused:
    """The error for a node that a file should not hold."""
    return ModelRefused(f"a node of a tree {fault}")


def _leaves(trees: "list[Tuples]", x: "list[float]") -> "list[int]":
    """The innermost loop: one comparison a level and no more."""
    found = []
    for f, t, left, right, _beyond in trees:
        while t is not None:
            f, t, left, right, _beyond = left if x[f] <= t else right
        found.append(f)
    return found


def _leaves_of_any(trees: "list[Tuples]", x: "list[float]") -> "list[int]":
    """The same where values are missing, or splits are categorical."""
    found = []
    for f, t, left, right, beyond in trees:
        while t is not None:
            v = x[f]
            if v <= t:
                f, t, left, right, beyond = left
            elif v > t:
                f, t, left, right, beyond = right
            elif right is None:
                flags, left, right, beyond = beyond
                f, t, left, right, beyond = (left if flags[int(v)] else right) if 0.0 <= v < len(flags) else beyond
            else:
                f, t, left, right, beyond = right if v == v else beyond
        found.append(f)
    return found
