"""Turn numbers into the intervals that they lie in."""

from _bisect import bisect_right
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Digitize:
    """The number of `edges` at or below each value (KBinsDiscretizer); each column's inner edges begin at its `starts`.

    :raises ModelRefused: `starts` or the edges of a column go down, or `starts` is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        edges = node.floats("edges", None)
        starts = node.indices("starts", len(edges) + 1, width + 1)
        node.expect(starts == sorted(starts), "'starts' goes down")
        self._edges = [edges[begin:end] for begin, end in pairwise(starts)]
        node.expect(all(column == sorted(column) for column in self._edges), "the edges of a column go down")

    def row(self, x: "list[float]") -> "list[float]":
        """Return each value's interval, counted from 0."""
        return [*map(float, map(bisect_right, self._edges, x))]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        y = np.empty(x.shape)
        for position, edges in enumerate(self._edges):
            y[:, position] = np.searchsorted(edges, x[:, position], side="right")
        return y


OPS = {"digitize": Digitize}
