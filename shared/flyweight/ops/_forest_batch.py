"""Walk decision trees for many instances, in NumPy: one level of many trees and many rows at once.

For this the nodes are laid out anew. Both children of a node lie side by side, and `x[column] >= bound` leads to the second:
NaN then leads to the first, so that no value has to be tested for being missing. Where missing values go left,
`x <= threshold` is turned into its contrary, `x >= the number next above threshold`. Where they go right the children change
places, and `-x >= -threshold` leads to the left one. A categorical split has a column of its own: 1 for rows that go left.
A leaf is its own first child, with a bound that nothing reaches.
"""

from flyweight.ops._forest import refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np

    from flyweight.ops._forest import Forest

    Array = np.ndarray[Any, Any]

# Measured over the forests of benchmarks/trees.py: the memory that a step touches stays in the processor's caches.
ROWS = 1024  # at a time
PAIRS = 65_536  # of a row and a tree at a time
LEAVES = 1 << 21  # kept at a time, 16 MB
NODES = 200_000  # laid out at a time where there are too many to keep
SHIFT = 32  # a word holds the column in its lower half, and the first child above


class BatchWalk:
    """The walks of many instances through one forest; keeps the forest's layout where copies may be kept."""

    def __init__(self, forest: "Forest") -> None:
        self._forest = forest
        self._kept: Layout | None = None

    def leaves(self, x: "Array") -> "Array":
        """Return the number of the leaf that each tree ends in, as whole numbers of shape (rows, trees).

        :param x: float32 or float64 of shape (rows, columns).
        :raises ModelRefused: a node leads out of its tree, or to a feature or leaf that is not there.
        """
        import numpy as np

        ended = np.empty((self._forest.count, len(x)), dtype=np.int64)
        for tree, rows, leaves in self.walks(x):
            ended[tree, rows] = leaves
        return ended.T

    def walks(self, x: "Array") -> "Iterator[tuple[int, slice, Array]]":
        """Yield each tree's leaves for some rows: a tree's number, the rows, and the leaves' numbers of shape (rows,).

        For a row the trees come in their order. All leaves at once would take memory for each tree and row: 1.4 GB for 20,000
        trees.

        :param x: float32 or float64 of shape (rows, columns).
        :raises ModelRefused: a node leads out of its tree, or to a feature or leaf that is not there.
        """
        for first, layout in self._layouts(x.dtype):
            size = max(1, LEAVES // layout.count)
            for start in range(0, len(x), size):
                rows = slice(start, start + size)
                for number, leaves in enumerate(self._ended(layout, x[rows]), first):
                    yield number, rows, leaves

    def _ended(self, layout: "Layout", x: "Array") -> "Array":
        """Return the leaf that each tree of a layout ends in, of shape (trees, rows)."""
        import numpy as np

        ended = np.empty((layout.count, len(x)), dtype=np.int64)
        for start in range(0, len(x), ROWS):
            values = layout.values(x[start : start + ROWS])
            trees = max(1, PAIRS // len(values))
            for tree in range(0, layout.count, trees):
                last = min(tree + trees, layout.count)
                ended[tree:last, start : start + ROWS] = layout.walk(values, tree, last)
        return ended

    def _layouts(self, dtype: "Any") -> "Iterator[tuple[int, Layout]]":
        """Yield layouts of all trees, each with the number of its first tree: one that is kept, or many one after the other."""
        forest = self._forest
        if forest.is_kept:
            self._kept = self._kept or Layout(forest, 0, forest.count, dtype)
            yield 0, self._kept
            return
        first = 0
        for last in range(1, forest.count + 1):
            if last == forest.count or forest.ends[last] - forest.roots[first] > NODES:
                yield first, Layout(forest, first, last, dtype)
                first = last


class Layout:
    """The trees from `first` up to `last` of a forest, laid out for batches; the roots are the first nodes, in their order.

    :raises ModelRefused: a node leads out of its tree, or to a feature, leaf or category that is not there.
    """

    def __init__(self, forest: "Forest", first: int, last: int, dtype: "Any") -> None:
        import numpy as np

        start, end = forest.roots[first], forest.ends[last - 1]
        roots, ends = np.subtract((forest.roots[first:last], forest.ends[first:last]), start)
        self.count, self._width = last - first, forest.width
        feature, over = np.asarray(forest.feature[start:end]), np.asarray(forest.over[start:end])
        inner = np.flatnonzero(feature >= 0)
        left = inner + 1
        right = left + over[inner]
        beyond = (right >= np.repeat(ends, ends - roots)[inner]).any()
        if beyond or feature.max() >= forest.width or -int(feature.min()) > forest.leaf_count:
            raise refusal("leads to a node, a feature or a leaf that is not there")
        column, bound, swapped = self._tests(forest, start, end, np.result_type(dtype, np.asarray(forest.threshold)))
        pairs = np.column_stack([np.where(swapped[inner], right, left), np.where(swapped[inner], left, right)])
        nodes = np.concatenate([roots, pairs.ravel()])  # where each node of this layout is in the file
        child = np.zeros(end - start, dtype=np.int64)
        child[inner] = self.count + 2 * np.arange(len(inner))
        is_leaf = feature[nodes] < 0
        self._word = np.where(is_leaf, np.arange(len(nodes)), child[nodes]) << SHIFT | np.where(is_leaf, 0, column[nodes])
        self._bound = np.where(is_leaf, bound.dtype.type(np.nan), bound[nodes])
        self._leaf = np.where(is_leaf, ~feature[nodes], 0)

    def _tests(self, forest: "Forest", start: int, end: int, dtype: "Any") -> "tuple[Array, Array, Array]":
        """Return for each node of the file its column, its bound, and whether its children change places.

        :raises ModelRefused: a split names categories that are not there.
        """
        import numpy as np

        feature = np.asarray(forest.feature[start:end]).astype(np.int64)
        threshold = np.asarray(forest.threshold[start:end]).astype(dtype)
        missing = np.zeros(end - start, np.uint8) if forest.missing is None else np.asarray(forest.missing[start:end])
        swapped = missing == 0
        with np.errstate(over="ignore"):
            above = np.nextafter(threshold, dtype.type(np.inf))
        above[threshold == np.inf] = np.nan  # nothing lies above
        above[np.isnan(threshold)] = -np.inf  # every number does: `x <= NaN` never holds
        column = np.where(swapped, feature + self._width, feature)
        bound = np.where(swapped, -threshold, above)
        split = np.full(end - start, -1) if forest.split is None else np.asarray(forest.split[start:end])
        self._categorical = np.flatnonzero((split >= 0) & (feature >= 0))
        if len(self._categorical):
            table = np.asarray(forest.goes_left).reshape(forest.tables, forest.categories)
            if split.max() >= forest.tables:
                raise refusal("names categories that are not there")
            self._features, self._flags = feature[self._categorical], table[split[self._categorical]].astype(bool)
            self._missing = missing[self._categorical] != 0
            swapped[self._categorical] = True
            column[self._categorical] = 2 * self._width + np.arange(len(self._categorical))
            bound[self._categorical] = 0.5
        return column, bound, swapped

    def values(self, x: "Array") -> "Array":
        """Return the values of the layout's columns for these rows."""
        import numpy as np

        if not len(self._categorical):
            return np.concatenate([x, -x], axis=1)
        goes_left = np.empty((len(x), len(self._categorical)), dtype=x.dtype)
        for feature in np.unique(self._features):
            own, v = np.flatnonzero(self._features == feature), x[:, feature]
            known = (v >= 0.0) & (v < self._flags.shape[1])
            category = np.where(known, v, 0.0).astype(np.int64)
            goes_left[:, own] = np.where(known[:, None], self._flags[own][:, category].T, self._missing[own])
        return np.concatenate([x, -x, goes_left], axis=1)

    def walk(self, values: "Array", first: int, last: int) -> "Array":
        """Return the leaves of the trees from `first` up to `last`, shape (trees, rows), for rows of `values`."""
        import numpy as np

        rows, width = values.shape
        flat = values.ravel()
        node = np.repeat(np.arange(first, last), rows)
        base = np.tile(np.arange(rows) * width, last - first)
        ended, where, level = np.empty_like(node), np.arange(len(node)), 0
        while len(node):
            word = self._word.take(node, mode="clip")
            level += 1
            if level % 4 == 0:  # go on with those that have not come to a leaf; testing more often costs more than it saves
                on = word >> SHIFT != node
                if np.count_nonzero(on) < 0.7 * len(on):
                    ended[where] = node
                    word, node, base, where = word[on], node[on], base[on], where[on]
            bound = self._bound.take(node, mode="clip")
            column = word & ((1 << SHIFT) - 1)
            column += base
            word >>= SHIFT
            word += flat.take(column, mode="clip") >= bound
            node = word
        return self._leaf[ended].reshape(last - first, rows)
