"""Find where rows leave the upper part of some trees, their crown, by comparing all rows with all of its splits.

That takes less time than to look up one node for each row: a comparison of codes takes a byte or two, and its answers are packed,
eight rows in a byte. A row reaches a node's children where it reaches the node: that is one operation for eight rows. Small trees
are all crown.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops._forest_layout import Layout
    from flyweight.ops._forest_ranks import Ranks

    Array = np.ndarray[Any, Any]

# Measured over the forests of benchmarks/trees.py.
WHOLE = 64  # leaves at most of a tree that is all crown
LEVELS = 4  # of splits in the crown of another tree
VALUES = 1 << 18  # compared at a time


class Crown:
    """The crown of the trees from `first` up to `last`; `depth` is the length of the longest walk below it.

    An exit is a node at which rows leave the crown; the exits of a tree have places, counted from 0.
    """

    def __init__(self, layout: "Layout", ranks: "Ranks", first: int, last: int) -> None:
        import numpy as np

        self.first, self.last = first, last
        self._trees = count = last - first
        whole = layout.proper[first:last] & (layout.leaves[first:last] <= WHOLE)
        node, tree = np.arange(first, last), np.arange(count)
        found: Array = np.zeros(count, dtype=np.int64)
        exits = []
        # of each level: which nodes are exits, their places, which are splits, the rows of codes that these compare, their ranks
        self._levels: list[tuple[Array, ...]] = []
        while len(node):
            ends = layout.is_leaf[node] | ((len(self._levels) >= LEVELS) & ~whole[tree])
            here, on = np.flatnonzero(ends), np.flatnonzero(~ends)
            place = found[tree[here]] + _counted(tree[here])
            found += np.bincount(tree[here], minlength=count)
            exits.append((node[here], tree[here], place))
            split = node[on]
            columns, own = ranks.row[split].astype(np.intp), ranks.rank[split][:, None]
            self._levels.append((here, place * count + tree[here], on, columns, own))
            node, tree = np.concatenate([layout.child[split], layout.child[split] + 1]), np.tile(tree[on], 2)
        self._bits = int(found.max() - 1).bit_length()
        self._exits = np.zeros((count, 1 << self._bits), dtype=np.int64)
        for nodes, trees, places in exits:
            self._exits[trees, places] = nodes
        below: Array = np.where(whole, 0, layout.depths[first:last] - LEVELS)
        self.depth = max(0, *below.tolist())
        if not self.depth:
            self._exits = layout.leaf[self._exits]

    def exits(self, codes: "Array") -> "Array":
        """Return where each row leaves each tree's crown, of shape (trees, rows): a node, or a leaf's number if `depth` is 0."""
        import numpy as np

        rows = codes.shape[1]
        packed = (rows + 7) // 8
        reached = np.zeros(((1 << self._bits) * self._trees, packed), np.uint8)  # at each place of each tree
        nodes = np.full((self._trees, packed), 255, np.uint8)  # which rows reach the nodes of a level
        for here, places, on, columns, ranks in self._levels:
            reached[places] = nodes.take(here, axis=0, mode="clip")
            before, nodes = nodes.take(on, axis=0, mode="clip"), np.empty((2, len(on), packed), np.uint8)
            np.bitwise_and(before, _compared(codes, columns, ranks), out=nodes[1])
            np.bitwise_xor(before, nodes[1], out=nodes[0])
            nodes = nodes.reshape(-1, packed)
        reached = reached.reshape(-1, self._trees * packed)
        place = np.zeros((self._trees, rows), np.uint8)
        any_of: Any = np.bitwise_or.reduce
        for bit in range(self._bits - 1, -1, -1):
            half = 1 << bit
            second = any_of(reached[half:]).reshape(self._trees, packed)
            reached = reached[:half] | reached[half:]
            place += place
            place |= np.unpackbits(second, axis=1, count=rows)
        flat = place.astype(np.intp)
        flat += (np.arange(self._trees) << self._bits)[:, None]
        found: Array = self._exits.ravel().take(flat, mode="wrap")
        return found


def _counted(trees: "Array") -> "Array":
    """Return how many of the items before each item are equal to it."""
    import numpy as np

    order = trees.argsort(kind="stable")
    ordered = trees[order]
    counted = np.empty(len(trees), dtype=np.int64)
    counted[order] = np.arange(len(trees)) - ordered.searchsorted(ordered)
    return counted


def _compared(codes: "Array", columns: "Array", ranks: "Array") -> "Array":
    """Return which rows go right at each split, eight rows in a byte."""
    import numpy as np

    rows = codes.shape[1]
    right = np.empty((len(columns), (rows + 7) // 8), np.uint8)
    size = max(1, min(len(columns), VALUES // rows))
    taken, is_right = np.empty((size, rows), codes.dtype), np.empty((size, rows), bool)
    for start in range(0, len(columns), size):
        part = slice(start, start + size)
        count = len(columns[part])
        codes.take(columns[part], axis=0, out=taken[:count], mode="wrap")
        np.greater_equal(taken[:count], ranks[part], out=is_right[:count])
        right[part] = np.packbits(is_right[:count], axis=1)
    return right
