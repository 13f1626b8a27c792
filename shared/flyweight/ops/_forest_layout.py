"""Lay out the nodes of decision trees in NumPy, so that many walks can go on at once.

Both children of a node lie side by side: a walk goes to the first child, or to the next node. A leaf is its own first child. A
categorical split has a column of its own behind the features: 0 for rows that go left, 1 for those that go right.
"""

from flyweight.ops._forest import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops._forest import Forest

    Array = np.ndarray[Any, Any]


class Layout:
    """The trees from `first` up to `last` of a forest; the roots are the first nodes, in their order.

    Arrays with one item a node: `child`, its first child; `is_leaf`; `leaf`, the leaf's number; `column`, `threshold` and
    `missing`: a row goes left where its value is less than or equal to the threshold, or where it is missing and the flag is set.
    `splits` is the number of categorical splits.
    For each tree: `depths`, the number of levels above its deepest leaf; `leaves`, their number; and `proper`, which says that no
    node has two parents.

    :param dtype: the type of the rows, float32 or float64; `dtype` is the one in which they are compared.
    :raises ModelRefused: a node leads out of its tree, or to a feature, leaf or category that is not there.
    """

    def __init__(self, forest: "Forest", first: int, last: int, dtype: "Any") -> None:
        import numpy as np

        start, end = forest.roots[first], forest.ends[last - 1]
        roots, ends = np.subtract((forest.roots[first:last], forest.ends[first:last]), start)
        self.count, self.width = last - first, forest.width
        feature, over = np.asarray(forest.feature[start:end]), np.asarray(forest.over[start:end])
        inner = np.flatnonzero(feature >= 0)
        left = inner + 1
        right = left + over[inner]
        beyond = (right >= np.repeat(ends, ends - roots)[inner]).any()
        if beyond or feature.max() >= forest.width or -int(feature.min()) > forest.leaf_count:
            raise refusal("leads to a node, a feature or a leaf that is not there")
        pairs = np.column_stack([left, right]).ravel()
        nodes = np.concatenate([roots, pairs])  # where each node of this layout is in the file
        child = np.zeros(end - start, dtype=np.int64)
        child[inner] = self.count + 2 * np.arange(len(inner))
        self.is_leaf = feature[nodes] < 0
        self.child = np.where(self.is_leaf, np.arange(len(nodes)), child[nodes])
        self.leaf = np.where(self.is_leaf, ~feature[nodes], 0)
        self.dtype = np.result_type(dtype, np.asarray(forest.threshold))
        column, threshold, missing = self._tests(forest, start, end)
        self.column = np.where(self.is_leaf, 0, column[nodes])
        self.threshold, self.missing = threshold[nodes], missing[nodes]
        self.depths = _depths(self.child, self.count)
        self.leaves = np.add.reduceat(feature < 0, roots, dtype=int)
        self.proper = np.maximum.reduceat(np.bincount(pairs, minlength=end - start), roots) < 2

    def _tests(self, forest: "Forest", start: int, end: int) -> "tuple[Array, Array, Array]":
        """Return for each node of the file its column, its threshold, and whether missing values go left.

        :raises ModelRefused: a split names categories that are not there.
        """
        import numpy as np

        column = np.asarray(forest.feature[start:end]).astype(np.int64)
        threshold = np.asarray(forest.threshold[start:end]).astype(self.dtype)
        missing = np.zeros(end - start, bool) if forest.missing is None else np.asarray(forest.missing[start:end]) != 0
        split = np.full(end - start, -1) if forest.split is None else np.asarray(forest.split[start:end])
        own = np.flatnonzero((split >= 0) & (column >= 0))
        self.splits = len(own)
        self.categorical: tuple[Array, ...] = ()  # each categorical split's feature, its flags, and what a missing value does
        if len(own):
            table = np.asarray(forest.goes_left).reshape(forest.tables, forest.categories)
            if split.max() >= forest.tables:
                raise refusal("names categories that are not there")
            self.categorical = (column[own], table[split[own]] != 0, missing[own])
            column[own], threshold[own], missing[own] = self.width + np.arange(len(own)), 0.5, False
        return column, threshold, missing

    def rights(self, x: "Array") -> "Array":
        """Return which of these rows goes right at each categorical split, of shape (splits, rows)."""
        import numpy as np

        features, flags, missing = self.categorical
        goes_left = np.empty((len(features), len(x)), dtype=bool)
        for feature in np.unique(features):
            own, v = np.flatnonzero(features == feature), x[:, feature]
            known = (v >= 0.0) & (v < flags.shape[1])
            category = np.where(known, v, 0.0).astype(np.int64)
            goes_left[own] = np.where(known, flags[own][:, category], missing[own][:, None])
        return ~goes_left


def _depths(child: "Array", count: int) -> "Array":
    """Return how many steps the longest walk of each tree takes.

    :param child: each node's first child, whose number is larger; a leaf's is itself.
    """
    import numpy as np

    depths = np.zeros(count, dtype=int)
    tree, nodes, depth, met = np.arange(count), np.arange(count), 0, count
    while len(nodes):
        depths[tree] = depth
        inner = child[nodes] != nodes
        first, depth = child[nodes[inner]], depth + 1
        tree, nodes = np.concatenate([tree[inner]] * 2), np.concatenate([first, first + 1])
        met += len(nodes)
        if met > len(child):
            return np.array(_steps(child.tolist())[:count])
    return depths


def _steps(child: "list[int]") -> "list[int]":
    """Return how many steps the longest walk from each node takes, where a node may have several parents."""
    steps = [0] * len(child)
    for node in range(len(child) - 1, -1, -1):
        first = child[node]
        if first != node:
            steps[node] = 1 + max(steps[first], steps[first + 1])
    return steps
