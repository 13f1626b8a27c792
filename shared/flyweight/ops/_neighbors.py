"""The nearest points, from a row to distances and positions, in the order in which scikit-learn 1.9 meets them.

Sources: `BinaryTree._query_single_depthfirst`, `sklearn.neighbors._kd_tree.min_rdist` and `sklearn.utils._heap.heap_push`:
which of several points at the same distance are kept hangs on the order of the visit and of the heap, so both are followed.
"""

from functools import cached_property, reduce
from math import inf, sqrt
from operator import add, mul, sub

from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

    Heap = list[tuple[float, int]]


class Search:
    """`points` of shape (points, features), in the order of the tree's leaves where the node carries one.

    A tree's node i has the children 2i + 1 and 2i + 2, or where `leaf` is 1 the points from `begins` to `ends`; `lower` and
    `upper` bound its points. Without a tree all points are compared. Either the `k` nearest count or all within `radius`.
    """

    def __init__(self, node: "Node") -> None:
        self.width = node.numbers()
        self.count = node.array("points", "F64", (None, self.width)).shape[0]
        node.expect(self.count > 0, "it has no point")
        self.points = rows_of(node.floats("points", self.count, self.width), self.count, self.width)
        self._metric = node.choice("metric", ("euclidean", "manhattan", "chebyshev", "minkowski"))
        self._p = node.floats("power", 1)[0] if self._metric == "minkowski" else 2.0
        node.expect(self._p >= 1.0, "'power' is below 1")
        self._radius = node.floats("radius", 1)[0] if node.has("radius") else None
        self._reduced_radius = self._reduce(self._radius or 0.0)
        self._k = node.whole("k", 1, self.count) if self._radius is None else 0
        self.counted = self._radius is None  # or else each row has its own number of neighbors
        self._tree: list[tuple[int, int, int]] = [(1, 0, self.count)]
        self._bounds: list[tuple[list[float], list[float]]] = []
        if node.has("leaf"):
            self._read_tree(node)

    def _read_tree(self, node: "Node") -> None:
        leaf = node.flags("leaf", None)
        count = len(leaf)
        begins, ends = (node.indices(name, self.count + 1, count) for name in ("begins", "ends"))
        sound = count > 0 and all(flag or 2 * i + 2 < count for i, flag in enumerate(leaf))
        node.expect(sound, "a node of the tree has no children and is no leaf")
        spans = sum(end - begin for flag, begin, end in zip(leaf, begins, ends, strict=True) if flag)
        ordered = all(begin <= end for begin, end in zip(begins, ends, strict=True))
        node.expect(ordered and spans <= self.count, "the leaves of the tree hold a point twice")
        self._tree = list(zip(leaf, begins, ends, strict=True))
        lower, upper = (rows_of(node.floats(name, count, self.width), count, self.width) for name in ("lower", "upper"))
        self._bounds = list(zip(lower, upper, strict=True))

    def found(self, x: "list[float]") -> "Heap":
        """Distance and position of each neighbor."""
        if self._radius is not None:
            near = self._reduced_radius  # compared before any root is taken: a root can round onto the radius
            reduced = [(self._reduced(x, point), i) for i, point in enumerate(self.points)]
            return [(self._distance(v), i) for v, i in reduced if v <= near]
        heap = [(inf, 0)] * self._k
        stack = [(0, 0.0)]
        while stack:
            i, bound = stack.pop()
            if bound > heap[0][0]:
                continue
            leaf, begin, end = self._tree[i]
            if leaf:
                for position in range(begin, end):
                    _push(heap, (self._reduced(x, self.points[position]), position))
                continue
            left, right = ((child, self._bound(x, child)) for child in (2 * i + 1, 2 * i + 2))
            stack += [right, left] if left[1] <= right[1] else [left, right]
        return [(self._distance(v), i) for v, i in heap]

    def nearest(self, x: "Any") -> "tuple[Any, Any, Any]":
        """Of a batch: distances and positions, of shape (rows, k), and which rows leave no doubt.

        All points are compared, whatever the tree. A row is in doubt where the farthest that is kept and the nearest that is
        not are as far, or a distance is no number: which is kept then hangs on the order of the visit.
        """
        import numpy as np

        from flyweight.ops._distances import apart

        reduced = apart(x, self._array, self._metric, self._p)
        last = min(self._k, self.count - 1)
        order = reduced.argpartition(last, axis=1)
        positions = order[:, : self._k]
        kept = np.take_along_axis(reduced, positions, axis=1)
        sure = np.isfinite(kept).all(axis=1)
        if self._k < self.count:
            beyond = np.take_along_axis(reduced, order[:, last:][:, :1], axis=1)
            sure &= kept.max(axis=1) < beyond[:, 0]
        if self._metric == "minkowski":
            return kept ** (1.0 / self._p), positions, sure
        return np.sqrt(kept) if self._metric == "euclidean" else kept, positions, sure

    @cached_property
    def _array(self) -> "Any":
        import numpy as np

        return np.array(self.points).reshape(self.count, self.width)

    def _reduced(self, x: "list[float]", point: "list[float]") -> float:
        apart = list(map(sub, x, point))
        if self._metric == "euclidean":
            return reduce(add, map(mul, apart, apart), 0.0)
        return self._gathered([abs(v) for v in apart])

    def _gathered(self, apart: "list[float]") -> float:
        """The reduced distance of which these are the parts; `sum` would round differently from Python 3.12 on."""
        if self._metric == "chebyshev":
            return max(apart, default=0.0)
        if self._metric == "manhattan":
            return reduce(add, apart, 0.0)
        if self._metric == "euclidean":
            return reduce(add, map(mul, apart, apart), 0.0)
        return reduce(add, [_power(v, self._p) for v in apart], 0.0)

    def _reduce(self, distance: float) -> float:
        if self._metric == "euclidean":
            return distance * distance
        return _power(distance, self._p) if self._metric == "minkowski" else distance

    def _distance(self, reduced: float) -> float:
        if self._metric == "euclidean":
            return sqrt(reduced)
        return _power(reduced, 1.0 / self._p) if self._metric == "minkowski" else reduced

    def _bound(self, x: "list[float]", i: int) -> float:
        lower, upper = self._bounds[i]
        return self._gathered([max(low - v, v - high, 0.0) for v, low, high in zip(x, lower, upper, strict=True)])


def _power(v: float, p: float) -> float:
    try:
        return float(v**p)
    except OverflowError:
        return inf


def _push(heap: "Heap", pair: "tuple[float, int]") -> None:
    """Replace the farthest if `pair` is nearer, as `heap_push` sifts it down."""
    v, size, i = pair[0], len(heap), 0
    if v >= heap[0][0]:
        return
    while 2 * i + 1 < size:
        left, right = 2 * i + 1, 2 * i + 2
        child = left if right >= size or heap[left][0] >= heap[right][0] else right
        if not v < heap[child][0]:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = pair
