"""Find the nearest points: from a row to distances and positions, in the order in which scikit-learn 1.9 meets them.

Sources: `BinaryTree._query_single_depthfirst`, `sklearn.neighbors._kd_tree.min_rdist` and `sklearn.utils._heap.heap_push`.
Which of several points at the same distance are kept depends on the order of the visit and of the heap, so both are followed.
"""

from math import dist, inf, sqrt

from flyweight.ops._lazy import cached_property
from flyweight.ops._metrics import metric_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

    Heap = list[tuple[float, int]]


CHOSEN = 16  # points for each neighbor, from which on the nearest ones are chosen first


class Search:
    """A search among `points` of shape (points, features), for the `k` nearest or for all within `radius`.

    Without a tree all points are compared; with a tree the points are in the order of its leaves. A tree's node i has the
    children 2i + 1 and 2i + 2, or where `leaf` is 1 the points from `begins` to `ends`. The points of a node of a k-d tree lie
    between `lower` and `upper`, those of a ball tree within `radii` of `centers`.

    :raises ModelRefused: there is no point or feature, the metric is unknown, or the tree does not hold each point once.
    """

    def __init__(self, node: "Node") -> None:
        self.width = node.numbers()
        self.count = node.array("points", "F64", (None, self.width)).shape[0]
        node.expect(self.count > 0 and self.width > 0, "it has no point, or no feature")
        self.points = node.rows("points", self.count, self.width)
        self._metric = metric_of(node, self.width)
        self._radius = node.floats("radius", 1)[0] if node.has("radius") else None
        self.k = node.whole("k", 1, self.count) if self._radius is None else 0
        node.takes_usual(0)
        # each point may be kept for a while, which takes a step down the heap for each of its levels
        node.takes(self.count * (50 + 15 * self.k.bit_length() + (self.width**2 if node.has("inverse") else 0)))
        self._prepared = list(map(self._metric.prepare, self.points))
        self._origin = [0.0] * self.width
        self._reduced_radius = self._metric.reduce(self._radius or 0.0)
        self.counted = self._radius is None  # else each row has its own number of neighbors
        self._tree: list[tuple[int, int, int]] = [(1, 0, self.count)]
        self._bounds: list[tuple[list[float], list[float]]] = []
        self._balls: list[tuple[Any, float]] = []
        if node.has("leaf"):
            self._read_tree(node)

    def _read_tree(self, node: "Node") -> None:
        """Read the tree.

        :raises ModelRefused: a node is neither a leaf nor a parent, or does not hold the points that its children hold.
        """
        leaf = node.flags("leaf", None)
        count = len(leaf)
        begins, ends = (node.indices(name, self.count + 1, count) for name in ("begins", "ends"))
        complete = count > 0 and all(flag or 2 * i + 2 < count for i, flag in enumerate(leaf))
        node.expect(complete, "a node of the tree has no children and is not a leaf")
        spans = sum(end - begin for flag, begin, end in zip(leaf, begins, ends, strict=True) if flag)
        ordered = all(begin <= end for begin, end in zip(begins, ends, strict=True))
        node.expect(ordered and spans <= self.count, "the leaves of the tree hold a point twice")
        self._tree = list(zip(leaf, begins, ends, strict=True))
        if node.has("centers"):
            halves = [(2 * i + 1, i, 2 * i + 2) for i, flag in enumerate(leaf) if not flag]
            whole = all((begins[a], ends[a], ends[b]) == (begins[i], begins[b], ends[i]) for a, i, b in halves)
            node.expect(whole, "a node of the tree does not hold its children's points")
            centers = node.rows("centers", count, self.width)
            self._balls = list(zip(map(self._metric.prepare, centers), node.floats("radii", count), strict=True))
            return
        lower, upper = (node.rows(name, count, self.width) for name in ("lower", "upper"))
        self._bounds = list(zip(lower, upper, strict=True))

    def neighbors(self, x: "list[float]") -> "Heap":
        """Return the distance and position of each neighbor of a row."""
        distance, p = self._metric.distance, self._metric.prepare(x)
        if self._radius is not None:
            return self._within(p, self._radius)
        heap = [(inf, 0)] * self.k
        stack = [(0, 0.0)]
        while stack:
            i, bound = stack.pop()
            if bound > heap[0][0]:
                continue
            leaf, begin, end = self._tree[i]
            if leaf:
                self._visit(p, begin, end, heap)
                continue
            left, right = ((child, self._bound(p, child)) for child in (2 * i + 1, 2 * i + 2))
            stack += [right, left] if left[1] <= right[1] else [left, right]
        return [(distance(v), i) for v, i in heap]

    def _visit(self, x: "Any", begin: int, end: int, heap: "Heap") -> None:
        """Keep those of the points from `begin` to `end` that are nearer than the farthest one kept so far."""
        reduced, points, straight = self._metric.reduced, self._prepared, self._metric.straight
        limit = inf
        for position in range(begin, end):
            # a point that is farther than the limit, by more than rounding, needs no distance to the last bit
            if straight and dist(x, points[position]) > limit:
                continue
            v = reduced(x, points[position])
            if not v >= heap[0][0]:
                _push(heap, (v, position))
            if straight:  # only squares are never below 0
                limit = sqrt(heap[0][0]) * (1.0 + 1e-9) + 1e-150

    def _within(self, x: "Any", radius: float) -> "Heap":
        """Return all points within the radius; reduced distances are compared, since a root can round onto the radius."""
        metric, near = self._metric, self._reduced_radius
        if not self._balls:
            reduced = [(metric.reduced(x, point), i) for i, point in enumerate(self._prepared)]
            return [(metric.distance(v), i) for v, i in reduced if v <= near]
        neighbors: Heap = []
        stack = [0]
        while stack:
            i = stack.pop()
            center, wide = self._balls[i]
            apart = metric.distance(metric.reduced(x, center))
            if apart - wide > radius:
                continue
            leaf, begin, end = self._tree[i]
            inside = apart + wide <= radius
            if leaf or inside:
                reduced = [(metric.reduced(x, self._prepared[position]), position) for position in range(begin, end)]
                neighbors += [(metric.distance(v), position) for v, position in reduced if inside or v <= near]
            else:
                stack += [2 * i + 2, 2 * i + 1]
        return neighbors

    def nearest(self, x: "Any") -> "tuple[Any, Any, Any]":
        """Find the `k` nearest points of each row of a batch, comparing all points.

        A row is in doubt where the farthest point kept and the nearest one left out are at the same distance, or a distance is
        NaN: which point is kept then depends on the order of the visit.

        :returns: distances and positions, of shape (rows, k), and for each row whether it is without doubt.
        :raises TypeError: the metric has no batch form; `batched` is False.
        """
        metric = self._metric
        if metric.batch is None:
            raise TypeError("these distances have no batch form")
        x = self._all_prepared(x)
        kept, positions, sure = self._nearest_of_few(x) if self._chooses else self._nearest_of_all(x)
        return self._distances(kept), positions, sure

    def within(self, x: "Any") -> "tuple[Any, Any, Any]":
        """Find the points within the radius of each row of a batch.

        A row is in doubt where a point lies so close to the radius that rounding decides, or a distance is NaN.

        :returns: distances to all points and whether they count, of shape (rows, points), and for each row whether it is without
            doubt.
        :raises TypeError: the metric has no batch form; `batched` is False.
        """
        import numpy as np

        metric, radius = self._metric, self._radius or 0.0
        if metric.batch is None:
            raise TypeError("these distances have no batch form")
        reduced = metric.batch(self._all_prepared(x), self._array)
        distances, inside = self._distances(reduced), reduced <= self._reduced_radius
        sure = np.isfinite(reduced).all(axis=1)
        if self._balls or metric.slack or metric.root not in (1.0, 2.0):  # else the bits are those of the row form
            margin = metric.slack + 1e-13 * (radius + max((wide for _, wide in self._balls), default=0.0))
            sure &= ~(abs(distances - radius) <= margin).any(axis=1)
        return distances, inside, sure

    def _all_prepared(self, x: "Any") -> "Any":
        import numpy as np

        prepare = self._metric.prepare
        return x if prepare is tuple else np.array([prepare(row) for row in x.tolist()]).reshape(x.shape)

    def _distances(self, reduced: "Any") -> "Any":
        root = self._metric.root
        return reduced**0.5 if root == 2.0 else reduced ** (1.0 / root)

    def _nearest_of_all(self, x: "Any") -> "tuple[Any, Any, Any]":
        """Measure the distances to all points; the answer is that of `nearest`, with reduced distances."""
        import numpy as np

        reduced = self._metric.batch(x, self._array)  # type: ignore[misc]
        last = min(self.k, self.count - 1)
        order = reduced.argpartition(last, axis=1)
        positions = order[:, : self.k]
        kept = np.take_along_axis(reduced, positions, axis=1)
        sure = np.isfinite(kept).all(axis=1)
        if self.k < self.count:
            beyond = np.take_along_axis(reduced, order[:, last:][:, :1], axis=1)
            sure &= kept.max(axis=1) + self._metric.slack < beyond[:, 0]
        return kept, positions, sure

    def _nearest_of_few(self, x: "Any") -> "tuple[Any, Any, Any]":
        """Measure the distances to the points that may be among the nearest; the answer is that of `_nearest_of_all`."""
        import numpy as np

        from flyweight.ops._distances import candidates

        rows, points = candidates(x, self._prepared_points, self.k + 1)
        reduced = np.zeros(len(rows))
        for column, coordinates in zip(x.T, self._array.T, strict=True):  # one after the other, as in the row form
            part = column[rows] - coordinates[points]
            part *= part
            reduced += part
        order = np.lexsort((reduced, rows))
        found = np.bincount(rows, minlength=len(x))
        first = np.cumsum(found) - found
        sure = found > self.k
        places = np.where(sure[:, None], first[:, None] + np.arange(self.k + 1), 0)
        order = np.append(order, 0)[places] if len(order) else places  # a row in doubt has any points
        kept = np.append(reduced, np.nan)[order]
        sure &= np.isfinite(kept[:, :-1]).all(axis=1) & (kept[:, -2] < kept[:, -1])
        return kept[:, :-1], np.append(points, 0)[order[:, :-1]], sure

    @property
    def batched(self) -> bool:
        """Whether `nearest`, or for a radius `within`, can answer; else rows are answered one by one."""
        return self._metric.batch is not None

    @property
    def each(self) -> int:
        """Count the numbers that a row of a batch takes at once: few where most points are left out by a product of matrices."""
        return self.count // 16 if self._chooses else self.count

    @property
    def _chooses(self) -> bool:
        """Whether a product of matrices leaves most points out."""
        return self.counted and self._metric.straight and self.k < self.count // CHOSEN

    @cached_property
    def _prepared_points(self) -> "Any":
        from flyweight.ops._distances import prepared_points

        return prepared_points(self._array)

    @cached_property
    def _array(self) -> "Any":
        import numpy as np

        return np.array(self._prepared).reshape(self.count, self.width)

    def _bound(self, x: "Any", i: int) -> float:
        """Return the least possible reduced distance to a point of node i."""
        metric = self._metric
        if self._balls:
            center, wide = self._balls[i]
            return metric.reduce(max(0.0, metric.distance(metric.reduced(x, center)) - wide))
        lower, upper = self._bounds[i]
        outside = [max(low - v, v - high, 0.0) for v, low, high in zip(x, lower, upper, strict=True)]
        return metric.reduced(outside, self._origin)


def _push(heap: "Heap", pair: "tuple[float, int]") -> None:
    """Replace the farthest by `pair`, which is nearer, and sift it down as `heap_push` does."""
    v, size, i = pair[0], len(heap), 0
    while 2 * i + 1 < size:
        left, right = 2 * i + 1, 2 * i + 2
        child = left if right >= size or heap[left][0] >= heap[right][0] else right
        if not v < heap[child][0]:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = pair
