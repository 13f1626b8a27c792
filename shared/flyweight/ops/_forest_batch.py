"""Walk decision trees for many instances, in NumPy: one level of many trees and many rows at once.

For this the nodes are laid out anew. Both children of a node lie side by side, and `x[column] >= bound` leads to the second:
NaN then leads to the first, so that no value has to be tested for being missing. Where missing values go left,
`x <= threshold` is turned into its contrary, `x >= the number next above threshold`. Where they go right the children change
places, and `-x >= -threshold` leads to the left one. A categorical split has a column of its own: 1 for rows that go left.
A leaf is its own first child, with a bound that nothing reaches.

At the first levels all nodes of a tree are compared for all rows: that takes less time than to look up one node for each row.
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
ROWS = 2048  # at a time, fewer where trees compare many columns
CELLS = 131_072  # values of rows at a time
TOP = 3  # levels at which all nodes are compared
PAIRS = 65_536  # of a row and a tree at a time
LEAVES = 1 << 21  # kept at a time, 16 MB
NODES = 200_000  # laid out at a time where there are too many to keep
SHIFT = 32  # a word holds the column in its lower half, and the first child above
COLUMN = (1 << SHIFT) - 1


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
        size = max(1, min(ROWS, CELLS // layout.width))
        for start in range(0, len(x), size):
            values = layout.values(x[start : start + size])
            trees = max(1, PAIRS // len(values))
            for tree in range(0, layout.count, trees):
                last = min(tree + trees, layout.count)
                ended[tree:last, start : start + size] = layout.walk(values, tree, last)
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

    `depths` has each tree's number of levels above its deepest leaf, `width` is the number of columns that are compared.

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
        self._compared = np.unique(column[inner])
        self.width = max(1, len(self._compared))
        place = np.where(is_leaf, 0, np.searchsorted(self._compared, column[nodes]))
        self._word = np.where(is_leaf, np.arange(len(nodes)), child[nodes]) << SHIFT | place
        self._bound = np.where(is_leaf, bound.dtype.type(np.nan), bound[nodes])
        self._leaf = np.where(is_leaf, ~feature[nodes], 0)
        self.depths = _depths(self._word >> SHIFT, self.count)
        self._lay_top(min(TOP, int(self.depths.max())))

    def _lay_top(self, levels: int) -> None:
        """Lay out the first levels as if all trees were full there; below a leaf that leaf comes again."""
        import numpy as np

        nodes = np.arange(self.count)[None, :]  # of shape (nodes of a level, trees)
        self._top = []
        for _ in range(levels):
            word = self._word[nodes]
            self._top.append((word & COLUMN, self._bound[nodes]))
            first = word >> SHIFT
            nodes = np.stack([first, np.where(first == nodes, first, first + 1)], axis=1).reshape(-1, self.count)
        self._entries = nodes.T.ravel()  # the nodes from which walks go on, tree by tree

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

    def nodes(self) -> "tuple[Array, Array, Array, Array]":
        """Return for each node its first child, its column, its bound and its leaf."""
        import numpy as np

        column = np.append(self._compared, 0)[self._word & COLUMN]  # a leaf's is not compared
        return self._word >> SHIFT, column, self._bound, self._leaf

    def categorical(self) -> "tuple[Array, ...]":
        """Return each categorical split's feature, its flags, one a category, and what a missing value does; () without any."""
        return (self._features, self._flags, self._missing) if len(self._categorical) else ()

    def values(self, x: "Array") -> "Array":
        """Return the values of the columns that are compared, for these rows."""
        import numpy as np

        plain, negative = (self._compared[self._compared // self._width == part] % self._width for part in (0, 1))
        values = [x.take(plain, axis=1), -x.take(negative, axis=1)]
        if not len(self._categorical):
            return np.concatenate(values, axis=1)
        goes_left = np.empty((len(x), len(self._categorical)), dtype=x.dtype)
        for feature in np.unique(self._features):
            own, v = np.flatnonzero(self._features == feature), x[:, feature]
            known = (v >= 0.0) & (v < self._flags.shape[1])
            category = np.where(known, v, 0.0).astype(np.int64)
            goes_left[:, own] = np.where(known[:, None], self._flags[own][:, category].T, self._missing[own])
        return np.concatenate([*values, goes_left], axis=1)

    def walk(self, values: "Array", first: int, last: int) -> "Array":
        """Return the leaves of the trees from `first` up to `last`, shape (trees, rows), for rows of `values`."""
        import numpy as np

        rows, width = values.shape
        flat = values.ravel()
        node = self._below_top(values, first, last).ravel()
        base = np.tile(np.arange(rows) * width, last - first)
        ended: Array | None = None
        for level in range(len(self._top), int(self.depths[first:last].max())):
            word = self._word.take(node, mode="clip")
            if level % 4 == 2:  # go on with those that have not come to a leaf; testing more often costs more than it saves
                on = word >> SHIFT != node
                if np.count_nonzero(on) < 0.6 * len(on):
                    if ended is None:
                        ended, where = node, np.flatnonzero(on)
                    else:
                        ended[where] = node
                        where = where[on]
                    word, node, base = word[on], node[on], base[on]
            bound = self._bound.take(node, mode="clip")
            column = word & COLUMN
            column += base
            word >>= SHIFT
            word += flat.take(column, mode="clip") >= bound
            node = word
        if ended is None:
            ended = node
        else:
            ended[where] = node
        return self._leaf.take(ended, mode="clip").reshape(last - first, rows)

    def _below_top(self, values: "Array", first: int, last: int) -> "Array":
        """Return the node that each row comes to below the top of each tree, of shape (trees, rows)."""
        import numpy as np

        by_column = np.ascontiguousarray(values.T)
        place = np.zeros((last - first, len(values)), np.uint8)  # among the nodes of a level
        steps: list[Array] = []  # at each level 1 where the walk goes to the second child
        for columns, bounds in self._top:
            compared = by_column.take(columns[:, first:last].ravel(), axis=0, mode="clip") >= bounds[:, first:last].reshape(-1, 1)
            second = compared.view(np.uint8).reshape(len(columns), last - first, -1)
            for step in steps:  # half of the nodes are left after each
                half = len(second) // 2
                upper, second = second[half:], second[:half]
                upper ^= second
                upper &= step
                second ^= upper
            steps.append(second[0])
            place <<= 1
            place |= second[0]
        return self._entries.take(place + (np.arange(first, last)[:, None] << len(self._top)), mode="clip")


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
