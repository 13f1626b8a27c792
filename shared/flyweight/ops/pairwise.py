"""Compare a row with many points: one kernel value a point (`sklearn.metrics.pairwise.pairwise_kernels`, 1.9)."""

from _operator import sub
from math import nan

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._arithmetic import dot, exps, total
from flyweight.ops._distances import apart, in_blocks, squares
from flyweight.ops._kernel_values import all_of_products, gaussians, of_products
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

KERNELS = ("linear", "poly", "rbf", "laplacian", "sigmoid", "chi2", "additive_chi2")


class Kernel:
    """The kernel's value at each of `points`, of shape (points, features).

    `parameters` are gamma, coef0 and the degree; a kernel ignores those that it does not have.

    :raises ModelRefused: the kernel is unknown, or `points` has another width than the row.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._width = node.numbers()
        points = node.rows("points", None, self._width)
        self.kernel = node.choice("kernel", KERNELS)
        self.points: list[Any] = [tuple(point) for point in points] if self.kernel == "rbf" else points
        self.gamma, self.coef0, self.degree = node.floats("parameters", 3)
        self.kinds = "n" * len(points)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one value a point.

        :raises InvalidInput: a number is below zero, where a chi-squared kernel has no value.
        """
        if self.kernel in ("chi2", "additive_chi2") and not min(x, default=0.0) >= 0.0:
            raise InvalidInput(Fault("numbers that are not below 0", preview(min(x))))
        if self.kernel == "rbf":
            return gaussians(-self.gamma, x, self.points)
        if self.kernel == "laplacian":
            return exps([-self.gamma * total(map(abs, map(sub, x, point))) for point in self.points])
        if self.kernel in ("chi2", "additive_chi2"):
            values = [chi2(x, point) for point in self.points]
            return exps([-self.gamma * v for v in values]) if self.kernel == "chi2" else [-v for v in values]
        products = [dot(point, x) for point in self.points]
        return of_products(self.kernel, products, self.gamma, self.coef0, self.degree)

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return in_blocks(x, len(self.points), self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        points = self._array
        if self.kernel == "rbf":
            return np.exp(-self.gamma * squares(x, points))
        if self.kernel in ("chi2", "additive_chi2"):
            return np.array([self.row(row) for row in x.tolist()]).reshape(len(x), len(points))
        if self.kernel == "laplacian":
            return np.exp(-self.gamma * apart(x, points, "manhattan", 1.0))
        return all_of_products(self.kernel, x @ points.T, self.gamma, self.coef0, self.degree)

    @cached_property
    def _array(self) -> "Any":
        import numpy as np

        return np.array(self.points).reshape(len(self.points), self._width)


def chi2(x: "list[float]", point: "list[float]") -> float:
    """Return `sum((v - p) ** 2 / (v + p))` over the columns where that is not zero over zero."""
    return total([(v - p) * (v - p) / (v + p) for v, p in zip(x, point, strict=True) if v + p])


class Shares:
    """Each column over the sum of all; NaN where all are zero, as for a row far from every point (BaseLabelPropagation).

    :raises ModelRefused: the input is not one row of numbers.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a column."""
        whole = total(x)
        return [v / whole if whole else nan for v in x]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return x / x.sum(axis=1, keepdims=True)


OPS = {"kernel": Kernel, "shares": Shares}
