"""Support vector machines over sparse values: only entries that are not zero in a vector meet the row."""

from itertools import pairwise

from flyweight.ops import kernels
from flyweight.ops._arithmetic import exps, total
from flyweight.ops._sparse import RowByRow, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries


class Machine(RowByRow, kernels.Machine):
    """`kernels.machine` with its vectors in three arrays: where each `starts`, and the `columns` and `numbers` of its entries.

    :raises ModelRefused: the input is not sparse, the arrays do not fit each other, or a parameter is out of range.
    """

    def _read_vectors(self, node: "Node", count: int) -> None:
        numbers = node.floats("numbers", None)
        columns = node.indices("columns", width_of(node), len(numbers))
        starts = node.indices("starts", len(numbers) + 1, count + 1)
        node.expect(starts == sorted(starts), "'starts' goes down")
        spans = [slice(begin, end) for begin, end in pairwise(starts)]
        self._entries = [list(zip(columns[span], numbers[span], strict=True)) for span in spans]

    def terms(self, x: "Entries") -> "list[list[float]]":
        """Return for each vector the terms of its product with the row."""
        return [[s * x[column] for column, s in vector if column in x] for vector in self._entries]

    def _products(self, x: "Entries") -> "list[float]":
        return [total(terms) for terms in self.terms(x)]

    def _gaussians(self, x: "Entries") -> "list[float]":
        """Return `exp(-gamma * distance ** 2)` of each vector, from the square of the row and the vector's entries."""
        own = total([v * v for v in x.values()])
        squares = [
            total([own, *[s * s - 2.0 * s * x[column] if column in x else s * s for column, s in vector]])
            for vector in self._entries
        ]
        return exps([-self.gamma * square for square in squares])


OPS = {"machine": Machine}
