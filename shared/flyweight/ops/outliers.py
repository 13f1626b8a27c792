"""Scores of outlier detectors, and their sign: 1 for an inlier and -1 for an outlier, as scikit-learn has it.

Sources: `IsolationForest.decision_function`, `EllipticEnvelope.decision_function`, scikit-learn 1.9.
"""

from _operator import sub
from math import inf

from flyweight.ops._arithmetic import dot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Sign:
    """1 where the one score is above 0 (or at it, if `inclusive`), else -1.

    :raises ModelRefused: the input has several columns.
    """

    exact = True
    whole = True

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one score")
        self._inclusive = node.choice("inclusive", (True, False))
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[int]":
        """Return 1 or -1."""
        return [1 if (x[0] >= 0.0 if self._inclusive else x[0] > 0.0) else -1]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return 2.0 * (x >= 0.0 if self._inclusive else x > 0.0) - 1.0


class Isolation:
    """`-(2 ** -(depths / all)) - offset`, from the sum of a row's depths in all trees; `parameters` are `all` and `offset`.

    :raises ModelRefused: the input has several columns, or `all` is not above zero.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one sum of depths")
        self._all, self._offset = node.floats("parameters", 2)
        node.expect(self._all > 0.0, "'parameters' has a depth that is not above zero")
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one score; below zero the row is an outlier."""
        try:
            share = 2.0 ** -(x[0] / self._all)
        except OverflowError:
            share = inf
        return [-share - self._offset]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return -(2.0 ** -(x / self._all)) - self._offset


class Mahalanobis:
    """`-((x - mean) @ precision @ (x - mean)) - offset`.

    :raises ModelRefused: `mean` or `precision` has another size than the row.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.mean = node.floats("mean", width)
        self.matrix = node.rows("precision", width, width)
        self.offset = node.floats("offset", 1)[0]
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one score; below zero the row is an outlier."""
        apart = [*map(sub, x, self.mean)]
        return [-dot(apart, [dot(row, apart) for row in self.matrix]) - self.offset]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        apart = x - self.mean
        precision = np.array(self.matrix).reshape(x.shape[1], x.shape[1])
        return -(apart * (apart @ precision.T)).sum(axis=1, keepdims=True) - self.offset


OPS = {"sign": Sign, "isolation": Isolation, "mahalanobis": Mahalanobis}
