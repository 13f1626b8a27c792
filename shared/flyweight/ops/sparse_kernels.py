"""Support vector machines over values that are mostly zeros: a row meets only what is not zero in a vector."""

from itertools import pairwise

from flyweight.ops import kernels
from flyweight.ops._kernel import exps
from flyweight.ops._sparse import RowByRow, width_of
from flyweight.ops._sums import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries


class Machine(RowByRow, kernels.Machine):
    """`kernels.machine` with `vectors` in three arrays: where each `starts`, and the `columns` and `numbers` of its entries."""

    def _read_vectors(self, node: "Node", count: int) -> None:
        numbers = node.floats("numbers", None)
        columns = node.indices("columns", width_of(node), len(numbers))
        starts = node.indices("starts", len(numbers) + 1, count + 1)
        node.expect(starts == sorted(starts), "'starts' goes down")
        spans = [slice(begin, end) for begin, end in pairwise(starts)]
        self._entries = [list(zip(columns[span], numbers[span], strict=True)) for span in spans]

    def _terms(self, x: "Entries") -> "list[list[float]]":
        return [[s * x[column] for column, s in vector if column in x] for vector in self._entries]

    def _products(self, x: "Entries") -> "list[float]":
        return [total(terms) for terms in self._terms(x)]

    def _gaussians(self, x: "Entries") -> "list[float]":
        """By the vector's entries against the row's, and what of the row's meets none."""
        own = total([v * v for v in x.values()])
        squares = [
            total([own, *[s * s - 2.0 * s * x[column] if column in x else s * s for column, s in vector]])
            for vector in self._entries
        ]
        return exps([-self._gamma * square for square in squares])


OPS = {"machine": Machine}
