"""Place a row in the graph of the training rows: edges, shortest paths, or a place in an embedding.

Sources: `kneighbors_graph`, `Isomap.transform` and `barycenter_weights` of scikit-learn 1.9.
"""

from _operator import sub
from math import sqrt

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._arithmetic import dot, total
from flyweight.ops._neighbors import Search
from flyweight.ops._sparse import RowByRow, wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries

MAX_NEIGHBORS = 300  # of a barycenter, whose equations take their cube: half a second


class _Tied:
    """A search for neighbors among `points`; `places` has each point's position among the training rows.

    :raises ModelRefused: the search is not valid, or a place is out of range.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._places = node.indices("places", self._search.count, self._search.count)


class Edges(RowByRow, _Tied):
    """A sparse value with a column a training row: its distance where it is a neighbor, or 1 where `lengths` is false.

    :raises ModelRefused: the search is not valid, or a place is out of range.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = wide(node, self._search.count)
        self._lengths = node.choice("lengths", (True, False))

    def row(self, x: "list[float]") -> "Entries":
        """Return the neighbors' columns."""
        return {self._places[i]: d if self._lengths else 1.0 for d, i in self._search.neighbors(x)}


class Paths(_Tied):
    """`-d ** 2 / 2`, d the shortest path to each training row: to a neighbor, then by the `ways` from there.

    :raises ModelRefused: the search is by radius, or `ways` is not square.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(self._search.counted, "takes the nearest 'k', not a radius, which may hold no point")
        count = self._search.count
        self._ways = node.array("ways", "F64", (count, count)).values  # read in place: the square of the number of points
        self.kinds = "n" * count

    def shortest(self, x: "list[float]") -> "list[float]":
        """Return the length of the shortest path to each training row."""
        count = self._search.count
        shortest: list[float] = []
        for d, i in self._search.neighbors(x):  # one after the other: all at once would take the memory of all ways
            start = self._places[i] * count
            ways = [d + way for way in self._ways[start : start + count].tolist()]
            shortest = [*map(min, shortest, ways)] if shortest else ways
        return shortest

    def row(self, x: "list[float]") -> "list[float]":
        """Return one value a training row."""
        return [-0.5 * (d * d) for d in self.shortest(x)]


class Barycenter(_Tied):
    """The neighbors' mean place in `embedding`, by the weights that best rebuild the row from its neighbors.

    `ridge` regularizes the equations of the weights.

    :raises ModelRefused: the search is by radius or by too many neighbors, or `embedding` does not have one row a point.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        node.expect(self._search.counted, "takes the nearest 'k', not a radius, which may hold no point")
        k = node.whole("k", 1, MAX_NEIGHBORS)
        node.takes(k * k * (k + self._search.width + 20))
        self._embedding = node.rows("embedding", self._search.count, None)
        (self._ridge,) = node.floats("ridge", 1)
        self.kinds = "n" * len(self._embedding[0])

    def weights(self, x: "list[float]") -> "tuple[list[float], list[list[float]]]":
        """Return the neighbors' weights and their rows of the embedding.

        :raises InvalidInput: the equations of the weights have no solution.
        """
        neighbors = sorted(self._search.neighbors(x))
        apart = [[*map(sub, self._search.points[i], x)] for _, i in neighbors]
        gram = [[dot(a, b) for b in apart] for a in apart]
        trace = total([gram[i][i] for i in range(len(gram))])
        for i, row in enumerate(gram):
            row[i] += self._ridge * trace if trace > 0.0 else self._ridge
        weights = _solved(gram)
        whole = total(weights)
        if not whole:
            raise InvalidInput(NO_PLACE)
        return [w / whole for w in weights], [self._embedding[i] for _, i in neighbors]

    def row(self, x: "list[float]") -> "list[float]":
        """Return the place in the embedding.

        :raises InvalidInput: the equations of the weights have no solution.
        """
        weights, rows = self.weights(x)
        return [dot(weights, list(column)) for column in zip(*rows, strict=True)]


NO_PLACE = Fault("a row with a place among its neighbors", "a row whose distances overflow")


def _solved(gram: "list[list[float]]") -> "list[float]":
    """Solve `gram @ w = 1` by Cholesky's factors.

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
