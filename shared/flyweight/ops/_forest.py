"""Walk decision trees: hold their nodes, and find the leaf that each tree ends in for one instance.

All trees of a model lie in flat arrays, one tree after the other. A node's left child is the next node; between it and the right
child lie `over` nodes, a number without a sign. So every step moves to a higher index, and a walk always ends, even for a
hostile file; an index beyond the arrays raises IndexError. A leaf has `feature` below zero: `~feature` is its number.
A row goes left where `x[feature] <= threshold`; a missing value goes left where `missing` is 1 (without that array, right).
A categorical split has its row of `goes_left`, one flag a category, in `split[node]`, and NaN as threshold; `split` is -1 for
other nodes. A category beyond the table counts as missing.

Speed decides how the nodes are held (docs/decisions/0009). At first they stay in the file, so that loading costs next to
nothing; each request after the first turns some trees into nested tuples, whose walk is three times as fast. After WALKS rows
small trees become masks, which take a third of that time (docs/decisions/0032). Up to CHECKED_NODES
every node is checked when the model is loaded. Beyond that a walk that comes to a bad node refuses it, and beyond KEPT_NODES
nothing is copied: a request reads only the pages of the file that its walks lead to.
"""

from _operator import gt, lt, sub
from math import isfinite, nan

from flyweight.errors import ModelRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal

    from flyweight.ops import Node
    from flyweight.ops._forest_masks import Masks

    Tuples = tuple[Any, ...]

# Measured on Python 3.13: 0.05 us to check a node, 0.15 to 0.3 us and 60 to 120 bytes to turn one into tuples.
CHECKED_NODES = 50_000  # 2.5 ms of a cold start
KEPT_NODES = 500_000  # 30 to 60 MB at most
STEP_NODES = 2_000  # turned into tuples at a time, 0.5 ms of a request; a tree is never divided
WALKS = 100  # rows after which masks are made: they cost as much as 300 to 500 rows save
MASK_BYTES = 250  # that a node takes as a mask, at most; half of the nodes are splits, and equal thresholds share a mask
LARGEST_TREE = 10_000  # nodes; a forest with a larger tree stays in the file, else one request would wait for milliseconds


class Forest:
    """Trees over `width` columns; `count` is their number, and their leaves are numbered from 0 to `leaf_count` - 1.

    `roots` and `ends` say where each tree begins and ends in the arrays; `grows` how many bytes of memory masks may take later;
    `masks` has them as soon as they are made.

    :raises ModelRefused: the arrays do not fit each other, or, up to CHECKED_NODES, a node is not valid.
    """

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
        is_kept = nodes <= KEPT_NODES
        self._trees: list[Tuples] = []  # the trees that are tuples by now
        self._grows, self._was_asked = is_kept and max(map(sub, self.ends, self.roots)) <= LARGEST_TREE, False
        self.grows = MASK_BYTES * nodes if self._is_checked else 0
        self.masks: Masks | None = None
        self._making: Iterator[Masks | None] | None = None
        self._walks = 0 if self._is_checked else -1  # rows since all trees are tuples; below zero: no masks are made

    def _read_trees(self, node: "Node", nodes: int) -> None:
        """Read where the trees begin and end.

        :raises ModelRefused: there is no tree, or the roots are not in order.
        """
        self.roots = node.indices("roots", nodes, None)
        node.expect(self.roots[:1] == [0], "it has no tree, or its first node is not a root")
        self.ends = [*self.roots[1:], nodes]
        node.expect(all(map(lt, self.roots, self.ends)), "the roots of its trees are not in order")
        self.count = len(self.roots)

    def _read_categories(self, node: "Node", nodes: int) -> None:
        """Read the categorical splits, if there are any.

        :raises ModelRefused: their arrays do not fit.
        """
        self.split: Any = None
        if node.has("split"):
            table = node.array("goes_left", "U8", (None, None))
            self.goes_left, (self.tables, self.categories) = table.values, table.shape
            node.expect(self.categories > 0 or not self.tables, "its tables have no category")
            self.split = node.array("split", "I16 I32", (nodes,)).values

    def _check(self, first: int, last: int) -> None:
        """Check every node of the trees from `first` up to `last`, by comparing whole arrays at once.

        :raises ModelRefused: a node leads to a node, a feature, a leaf or a category that is not there.
        """
        begin, stop = self.roots[first], self.ends[last - 1]
        feature, over = self.feature[begin:stop].tolist(), self.over[begin:stop].tolist()
        if max(feature) >= self.width or -min(feature) > self.leaf_count:
            raise refusal("splits on a feature, or ends in a leaf, that is not there")
        if self.split is not None and max(self.split[begin:stop].tolist()) >= self.tables:
            raise refusal("names categories that are not there")
        for root, end in zip(self.roots[first:last], self.ends[first:last], strict=True):
            start, end = root - begin, end - begin
            rooms = range(end - 2 - start, -1, -1)  # the largest `over` of each node but the last
            if feature[end - 1] >= 0 or over[end - 1] or any(map(gt, over[start : end - 1], rooms)):
                raise refusal("leads out of its tree")

    def leaves(self, x: "list[float]") -> "list[int]":
        """Return the number of the leaf that each tree ends in.

        :raises ModelRefused: the walk came to a node that is not valid; never in a forest that was checked when loaded.
        """
        if self.masks is not None:
            return self.masks.leaves(x)
        trees = self._trees
        if self.split is None and isfinite(sum(x)):  # one pass in C; an infinity only leads to the slower walk
            leaves = _leaves(trees, x)
        else:
            leaves = _leaves_of_any(trees, x)
        if len(trees) < self.count:
            leaves += self._mapped(x, len(trees))
            if self._grows and self._was_asked:  # the first answer matters most for a cold start
                self._trees = [*trees, *self._more(len(trees))]  # a new list: another thread may be walking the old one
            self._was_asked = True
        elif self._walks >= 0:
            self._walks += 1
            if self._walks > WALKS:
                self._make_masks()
        return leaves

    def _make_masks(self) -> None:
        """Make some of the masks; when the last ones are made, they replace the tuples."""
        if self._making is None:
            from flyweight.ops import _forest_masks  # imported late: it is for processes that answer many rows

            bits = _forest_masks.bits_of(self)
            self._making = _forest_masks.made(self, bits) if bits else iter(())
        masks: Masks | Literal[False] | None
        try:
            masks = next(self._making, False)
        except ValueError:  # another thread is making them
            return
        if masks is False:
            self._walks = -1
        elif masks:
            self.masks = masks  # first: a thread that sees no tuples walks the arrays
            self._trees, self._grows = [], False

    def _more(self, first: int) -> "list[Tuples]":
        """Return the next trees as tuples.

        :raises ModelRefused: a node of theirs is not valid.
        """
        start, last = self.roots[first], first + 1
        while last < self.count and self.ends[last] - start <= STEP_NODES:
            last += 1
        if not self._is_checked:
            self._check(first, last)
        nodes = self._tuples(start, self.ends[last - 1])
        return [nodes[start - root - 1] for root in self.roots[first:last]]

    def _tuples(self, start: int, end: int) -> "list[Any]":
        """Return the nodes from `start` up to `end`, the last one first, so that each child is made before its parent.

        A node is `(feature, threshold, left, right, where missing values go)`; a leaf is its number, then None four times.
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
        """Return the leaves of the trees from `first` on, walking the arrays in the file.

        :raises ModelRefused: the walk came to a node that is not valid.
        """
        feature, threshold, over, split = self.feature, self.threshold, self.over, self.split
        leaves = []
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
                leaves.append(~f)
                if i >= end:  # each step led forward: it is enough to check the last one
                    raise IndexError
        except IndexError:
            raise refusal("leads out of its tree") from None
        if max(leaves) >= self.leaf_count:
            raise refusal("ends in a leaf that is not there")
        return leaves

    def _goes_left(self, i: int, v: float) -> bool:
        """Say whether a category, or a missing value, goes left at a node."""
        row = -1 if self.split is None else self.split[i]
        if row >= 0 and 0.0 <= v < self.categories:
            return bool(self.goes_left[row * self.categories + int(v)])
        return self.missing is not None and bool(self.missing[i])


def refusal(fault: str) -> ModelRefused:
    """Return the error for a node that is not valid."""
    return ModelRefused(f"a node of a tree {fault}")


def _leaves(trees: "list[Tuples]", x: "list[float]") -> "list[int]":
    """Walk trees without categorical splits, for a row without missing values: one comparison a level."""
    leaves = []
    for f, t, left, right, _beyond in trees:
        while t is not None:
            f, t, left, right, _beyond = left if x[f] <= t else right
        leaves.append(f)
    return leaves


def _leaves_of_any(trees: "list[Tuples]", x: "list[float]") -> "list[int]":
    """Walk trees where values are missing or splits are categorical."""
    leaves = []
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
        leaves.append(f)
    return leaves
