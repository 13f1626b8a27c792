"""Walk decision trees for many instances, in NumPy: many trees and many rows at once.

All comparisons are of small whole numbers (`_forest_ranks.py`). The upper part of each tree, or all of a small one, is compared
for all rows (`_forest_crown.py`). Below it one step takes all walks a level down, and takes two look-ups: a word has the place of
the column that a node compares, then the node's first child, then what the rank lacks to a power of two. The row's code added to
the word makes it the second child where the code reaches the rank.
"""

from flyweight.ops._forest import refusal
from flyweight.ops._forest_crown import Crown
from flyweight.ops._forest_layout import Layout
from flyweight.ops._forest_ranks import Ranks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import numpy as np

    from flyweight.ops._forest import Forest

    Array = np.ndarray[Any, Any]

# Measured over the forests of benchmarks/trees.py.
ROWS = 4096  # at a time, fewer where trees compare many columns
CODES = 1 << 19  # of all columns at a time
GROUPS = (32, 128, 512)  # trees at a time: as many as PAIRS allows
PAIRS = 131_072  # of a row and a tree at a time
STEPS = 65_536  # pairs that go down at a time
KEPT_NODES = 16_000_000  # 700 MB at most
NODES = 2_000_000  # laid out at a time
WORD = 63  # bits


class BatchWalk:
    """The walks of many instances through one forest; keeps the forest's layout up to KEPT_NODES."""

    def __init__(self, forest: "Forest") -> None:
        self._forest = forest
        self._is_kept = len(forest.feature) <= KEPT_NODES
        self._kept: list[tuple[int, Trees]] = []
        self._table: Array | None = None

    def sums(self, x: "Array", base: "Array", columns: "list[Any]", targets: "list[int] | None") -> "Array":
        """Return `base` plus the leaves in which the walks end, in the order of the trees, of shape (rows, outputs).

        :param x: float32 or float64 of shape (rows, columns).
        :param columns: the leaves' values, one column an output, or one alone with `targets`, the output of each tree.
        :raises ModelRefused: a node leads out of its tree, or to a feature or leaf that is not there.
        """
        import numpy as np

        table = np.array(columns, dtype=base.dtype).T if self._table is None else self._table
        if self._is_kept:
            self._table = table
        y: Array
        if targets is not None or table.shape[1] == 1:
            y, values = np.repeat(base[:, None], len(x), axis=1), np.ascontiguousarray(table[:, 0])
            for first, rows, leaves in self.walks(x):
                for tree, terms in enumerate(values.take(leaves, mode="wrap"), first):
                    y[targets[tree] if targets else 0, rows] += terms
            return y.T
        y, values = np.repeat(base[None], len(x), axis=0), np.ascontiguousarray(table)
        if len(base) == 2:  # two numbers are taken and added as one complex number, whose parts are added apart
            values = values.view(np.result_type(base, np.complex64))
        sums = y.view(values.dtype)
        for _, rows, leaves in self.walks(x):
            for terms in values.take(leaves, axis=0, mode="wrap"):
                sums[rows] += terms
        return y

    def leaves(self, x: "Array") -> "Array":
        """Return the number of the leaf that each tree ends in, as whole numbers of shape (rows, trees).

        :param x: float32 or float64 of shape (rows, columns).
        :raises ModelRefused: a node leads out of its tree, or to a feature or leaf that is not there.
        """
        import numpy as np

        ended = np.empty((self._forest.count, len(x)), dtype=np.int64)
        for tree, rows, leaves in self.walks(x):
            ended[tree : tree + len(leaves), rows] = leaves
        return ended.T

    def walks(self, x: "Array") -> "Iterator[tuple[int, slice, Array]]":
        """Yield the leaves of some trees for some rows: the first tree, the rows, and the leaves' numbers, shape (trees, rows).

        For a row the trees come in their order.

        :param x: float32 or float64 of shape (rows, columns).
        :raises ModelRefused: a node leads out of its tree, or to a feature or leaf that is not there.
        """
        for first, trees in self._trees(x.dtype):
            for start in range(0, len(x), trees.rows):
                rows = slice(start, min(start + trees.rows, len(x)))
                for tree, leaves in trees.leaves(x[rows]):
                    yield first + tree, rows, leaves

    def _trees(self, dtype: "Any") -> "Iterator[tuple[int, Trees]]":
        """Yield all trees, some after the others, each time with the number of the first."""
        if not self._is_kept:
            yield from self._laid_out(dtype)
            return
        self._kept = self._kept or [*self._laid_out(dtype)]
        yield from self._kept

    def _laid_out(self, dtype: "Any") -> "Iterator[tuple[int, Trees]]":
        """Lay out all trees, up to NODES nodes at a time or one tree."""
        forest = self._forest
        first = 0
        for last in range(1, forest.count + 1):
            if last == forest.count or forest.ends[last] - forest.roots[first] > NODES:
                yield first, Trees(Layout(forest, first, last, dtype))
                first = last


class Trees:
    """The trees of a layout, ready for walks of up to `rows` rows at a time.

    :raises ModelRefused: the layout is too large for its words.
    """

    def __init__(self, layout: "Layout") -> None:
        import numpy as np

        self._layout, self._ranks = layout, Ranks(layout)
        del layout.column, layout.threshold, layout.missing  # the ranks say it in less memory
        ranks = self._ranks
        self._code_bits, self._child_bits = ranks.top.bit_length(), len(layout.child).bit_length()
        free = WORD - self._code_bits - self._child_bits
        self.rows = max(1, min(ROWS, CODES // ranks.count, (1 << max(0, free)) // ranks.count - 32))
        self._stride = self.rows + 32  # a power of two would lead to the same places of the cache
        if ranks.count * self._stride > 1 << max(0, free):
            raise refusal("belongs to a tree that is too large for batches")
        lacking = np.where(layout.is_leaf, 0, (1 << self._code_bits) - ranks.rank.astype(np.int64))  # nothing takes a leaf on
        place = ranks.row.astype(np.int64) * self._stride
        self._words = (place << self._child_bits | layout.child) << self._code_bits | lacking
        self._crowns: dict[int, list[Crown]] = {}

    def leaves(self, x: "Array") -> "Iterator[tuple[int, Array]]":
        """Yield the leaves of some trees: the first tree, and the leaves' numbers, shape (trees, rows)."""
        import numpy as np

        codes = self._ranks.codes(x)
        flat: Array | None = None
        for crown in self._crowns_for(len(x)):
            ended = crown.exits(codes)
            if crown.depth:
                if flat is None:
                    flat = np.empty((len(codes), self._stride), codes.dtype)
                    flat[:, : len(x)] = codes
                    flat = flat.ravel()
                size = max(1, STEPS // len(x))
                for tree in range(0, len(ended), size):
                    self._go_down(ended[tree : tree + size], flat, crown.depth)
                ended = self._layout.leaf.take(ended, mode="wrap")
            yield crown.first, ended

    def _crowns_for(self, rows: int) -> "list[Crown]":
        size = next((size for size in reversed(GROUPS) if size * rows <= PAIRS), GROUPS[0])
        count = self._layout.count
        if size not in self._crowns:
            self._crowns[size] = [
                Crown(self._layout, self._ranks, first, min(first + size, count)) for first in range(0, count, size)
            ]
        return self._crowns[size]

    def _go_down(self, nodes: "Array", codes: "Array", depth: int) -> None:
        """Replace the nodes at which walks are by those at which they end, of shape (trees, rows)."""
        import numpy as np

        trees, rows = nodes.shape
        ended = node = nodes.reshape(-1)  # a view: the part of an array that has no gaps
        row, where = np.tile(np.arange(rows), trees), np.arange(0)
        is_child, bits = (1 << self._child_bits) - 1, self._code_bits
        word, place, code = np.empty_like(node), np.empty_like(node), np.empty(len(node), codes.dtype)
        for level in range(depth):
            self._words.take(node, out=word, mode="wrap")
            if level % 3 == 0:  # go on with those that have not come to a leaf; to test more often costs more than it saves
                np.right_shift(word, bits, out=place)
                place &= is_child
                on = np.flatnonzero(place != node)
                if len(on) < 0.6 * len(node):
                    if node is not ended:
                        ended[where] = node
                    where = on if node is ended else where.take(on)
                    if not len(on):
                        return
                    word, row, node = word.take(on), row.take(on), node.take(on)
                    place, code = place[: len(on)], code[: len(on)]
            np.right_shift(word, bits + self._child_bits, out=place)
            place += row
            codes.take(place, out=code, mode="wrap")
            word += code
            np.right_shift(word, bits, out=node)
            node &= is_child
        if node is not ended:
            ended[where] = node
