"""Scores of outlier detectors, and from one score to scikit-learn's word for inliers and outliers, 1 and -1.

Sources: `IsolationForest.decision_function`, `EllipticEnvelope.decision_function`, scikit-learn 1.9.
"""

from math import inf
from operator import mul, sub

from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Sign:
    """1 where the one score is above 0 (or at it, if `inclusive`), else -1."""

    exact = True
    whole = True

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one score")
        self._inclusive = node.choice("inclusive", (True, False))
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[int]":
        """1 or -1."""
        return [1 if (x[0] >= 0.0 if self._inclusive else x[0] > 0.0) else -1]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        return 2.0 * (x >= 0.0 if self._inclusive else x > 0.0) - 1.0


class Isolation:
    """`-(2 ** -(depths / all)) - offset`, from the sum of a row's depths in all trees."""

    exact = False

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one sum of depths")
        self._all, self._offset = node.floats("parameters", 2)
        node.expect(self._all > 0.0, "'parameters' has a depth that is not above zero")
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """The score; below zero is an outlier."""
        try:
            share = 2.0 ** -(x[0] / self._all)
        except OverflowError:
            share = inf
        return [-share - self._offset]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        return -(2.0 ** -(x / self._all)) - self._offset


class Mahalanobis:
    """`-((x - mean) @ precision @ (x - mean)) - offset`."""

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._mean = node.floats("mean", width)
        self._precision = rows_of(node.floats("precision", width, width), width, width)
        self._offset = node.floats("offset", 1)[0]
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """The score; below zero is an outlier."""
        apart = [*map(sub, x, self._mean)]
        return [-dot(apart, [dot(row, apart) for row in self._precision]) - self._offset]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        apart = x - self._mean
        precision = np.array(self._precision).reshape(x.shape[1], x.shape[1])
        return -(apart * (apart @ precision.T)).sum(axis=1, keepdims=True) - self._offset

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values."""
        apart = [abs(v) + abs(m) for v, m in zip(x, self._mean, strict=True)]
        weighted = [total(abs(w) * v for w, v in zip(row, apart, strict=True)) for row in self._precision]
        return [total(map(mul, apart, weighted)) + abs(self._offset)]


OPS = {"sign": Sign, "isolation": Isolation, "mahalanobis": Mahalanobis}
