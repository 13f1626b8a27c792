"""A row tied into the graph of the training rows, from numbers to edges, paths or a place in an embedding.

Sources: `kneighbors_graph`, `Isomap.transform` and `barycenter_weights` of scikit-learn 1.9.
"""

from math import sqrt
from operator import mul, sub

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._neighbors import Search
from flyweight.ops._sparse import RowByRow, wide
from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries

MAX_NEAR = 300  # neighbors of a place: its equations take their cube, half a second for so many


class _Tied:
    """Seeks neighbors among `points`; `places` tells where each of them stood in training."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._places = node.indices("places", self._search.count, self._search.count)


class Edges(RowByRow, _Tied):
    """A column a training row: its distance where it is a neighbor, or with `lengths` false 1; a sparse value."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = wide(node, self._search.count)
        self._lengths = node.choice("lengths", (True, False))

    def row(self, x: "list[float]") -> "Entries":
        """The neighbors' columns."""
        return {self._places[i]: d if self._lengths else 1.0 for d, i in self._search.found(x)}


class Paths(_Tied):
    """`-d ** 2 / 2` of the shortest way to each training row, over a neighbor and the `ways` from there."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(self._search.counted, "takes the nearest 'k', not a radius within which nothing may lie")
        count = self._search.count
        self._ways = node.array("ways", "F64", (count, count)).values  # read in place: they are the square of the rows
        self.kinds = "n" * count

    def _shortest(self, x: "list[float]") -> "list[float]":
        count, ways = self._search.count, []
        for d, i in self._search.found(x):
            start = self._places[i] * count
            ways.append([d + way for way in self._ways[start : start + count].tolist()])
        return [*map(min, *ways)] if len(ways) > 1 else ways[0]

    def row(self, x: "list[float]") -> "list[float]":
        """One value a training row."""
        return [-0.5 * (d * d) for d in self._shortest(x)]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The values' own size."""
        return [0.5 * d * d for d in self._shortest(x)]


class Barycenter(_Tied):
    """The neighbors' rows of `embedding`, by the weights that make the row of its neighbors; `ridge` keeps them apart."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(self._search.counted, "takes the nearest 'k', not a radius within which nothing may lie")
        node.whole("k", 1, MAX_NEAR)
        count = self._search.count
        width = node.array("embedding", "F64", (count, None)).shape[1]
        self._embedding = rows_of(node.floats("embedding", count, width), count, width)
        (self._ridge,) = node.floats("ridge", 1)
        self.kinds = "n" * width

    def _weights(self, x: "list[float]") -> "tuple[list[float], list[list[float]]]":
        found = sorted(self._search.found(x))
        apart = [[*map(sub, self._search.points[i], x)] for _, i in found]
        gram = [[dot(a, b) for b in apart] for a in apart]
        trace = total([gram[i][i] for i in range(len(gram))])
        for i, row in enumerate(gram):
            row[i] += self._ridge * trace if trace > 0.0 else self._ridge
        weights = _solved(gram)
        whole = total(weights)
        if not whole:
            raise InvalidInput(NO_PLACE)
        return [w / whole for w in weights], [self._embedding[i] for _, i in found]

    def row(self, x: "list[float]") -> "list[float]":
        """The place in the embedding."""
        weights, rows = self._weights(x)
        return [dot(weights, list(column)) for column in zip(*rows, strict=True)]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values."""
        weights, rows = self._weights(x)
        return [total(map(abs, map(mul, weights, column))) for column in zip(*rows, strict=True)]


NO_PLACE = Fault("a row with a place among its neighbors", "one whose distances overflow")


def _solved(gram: "list[list[float]]") -> "list[float]":
    """The w of `gram @ w = 1`, by Cholesky's factors.

    :raises InvalidInput: `gram` is not positive definite, as where distances overflow; the estimator raises as well.
    """
    factor: list[list[float]] = []
    forward: list[float] = []
    for i, row in enumerate(gram):
        own: list[float] = []
        for j in range(i):
            own.append((row[j] - dot(own, factor[j][:j])) / factor[j][j])
        pivot = row[i] - dot(own, own)
        if not 0.0 < pivot < 1e300:
            raise InvalidInput(NO_PLACE)
        factor.append([*own, sqrt(pivot)])
        forward.append((1.0 - dot(own, forward)) / factor[i][i])
    weights = forward
    for i in reversed(range(len(gram))):
        later = total([factor[j][i] * weights[j] for j in range(i + 1, len(gram))])
        weights[i] = (forward[i] - later) / factor[i][i]
    return weights


OPS = {"edges": Edges, "paths": Paths, "barycenter": Barycenter}
