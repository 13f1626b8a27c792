"""Walk decision trees in any array namespace: all rows through many trees at once, one level a step, without branches.

The nodes are laid out so that a leaf is its own child. A walk of as many steps as the deepest of the trees therefore ends in the
right leaf for every row, and needs gathers and comparisons alone. The thresholds themselves are compared: the next number above 0
would be subnormal, and XLA on a processor takes subnormal numbers for 0.
"""

from flyweight.ops._forest_layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flyweight.ops._forest import Forest

PAIRS = 1 << 22  # of a row and a tree at a time: some arrays of 32 MB


class Levels:
    """The trees of a forest, laid out for walks by levels.

    `arrays`: the first child, the column, the threshold, the flag for missing values and the leaf of each node; then, if there
    are categorical splits, for each of them its feature, where its flags begin, and what a missing value does, and the flags of
    all, one after the other.

    :param dtype: the type in which rows come, "float32" or "float64".
    :raises ModelRefused: a node leads out of its tree, or to a feature, leaf or category that is not there.
    """

    def __init__(self, forest: "Forest", dtype: str) -> None:
        import numpy as np

        layout = Layout(forest, 0, forest.count, np.dtype(dtype))
        self._count, self._type = forest.count, str(layout.dtype)
        self._depths: list[int] = layout.depths.tolist()
        stays = layout.is_leaf | layout.missing  # a leaf's column is 0, whatever its value
        threshold = np.where(layout.is_leaf, np.inf, layout.threshold).astype(layout.dtype)
        nodes = (layout.child, layout.column, threshold, stays, layout.leaf.astype(np.int64))
        splits = layout.categorical
        if splits:
            features, flags, missing = splits
            starts = np.arange(len(flags)) * flags.shape[1]
            splits = (features, starts, ~missing, ~flags.ravel())
            self._categories = flags.shape[1]
        self.arrays: tuple[Any, ...] = (nodes, splits)

    def walks(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Iterator[tuple[int, int, Any]]":
        """Yield `first`, `last` and a flat array: the leaves' numbers for each tree from `first` up to `last` and each row.

        :param xp: the namespace, to which `arrays`, those of this layout, and `x`, of shape (rows, columns), belong.
        """
        (child, column, threshold, missing, leaf), splits = arrays
        x = xp.astype(x, getattr(xp, self._type))
        values = xp.concat([x, self._rights(xp, splits, x)], axis=1) if splits else x
        rows, width = values.shape
        flat, starts = xp.reshape(values, (-1,)), xp.arange(rows)[None, :] * width
        size = max(1, PAIRS // max(1, rows))
        for first in range(0, self._count, size):
            last = min(first + size, self._count)
            shape = (last - first, rows)
            node = xp.reshape(xp.broadcast_to(xp.arange(first, last)[:, None], shape), (-1,))
            start = xp.reshape(xp.broadcast_to(starts, shape), (-1,))
            for _ in range(max(self._depths[first:last])):
                v = xp.take(flat, xp.take(column, node, axis=0) + start, axis=0)
                first_child = (v <= xp.take(threshold, node, axis=0)) | ((v != v) & xp.take(missing, node, axis=0))
                node = xp.take(child, node, axis=0) + xp.astype(~first_child, xp.int64)
            yield first, last, xp.take(leaf, node, axis=0)

    def terms(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any", columns: "Any") -> "Iterator[tuple[int, list[Any]]]":
        """Yield each tree's number and its leaves' values, one array of shape (rows,) for each of `columns`."""
        for first, last, ended in self.walks(xp, arrays, x):
            values = [xp.reshape(xp.take(column, ended, axis=0), (last - first, -1)) for column in columns]
            for tree in range(first, last):
                yield tree, [value[tree - first, :] for value in values]

    def _rights(self, xp: "Any", splits: "Any", x: "Any") -> "Any":
        """Return 1 for each row and categorical split at which the row goes right, else 0."""
        features, starts, missing, flags = splits  # these say what goes right
        v = xp.take(x, features, axis=1)
        known = (v >= 0.0) & (v < float(self._categories))
        places = xp.astype(xp.where(known, v, 0.0), xp.int64) + starts
        right = xp.reshape(xp.take(flags, xp.reshape(places, (-1,)), axis=0), places.shape)
        return xp.astype(xp.where(known, right, missing), x.dtype)
