"""A row against many points, from numbers to one kernel value a point (`sklearn.metrics.pairwise.pairwise_kernels`, 1.9)."""

from math import nan
from operator import mul, sub

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._distances import in_blocks, squares
from flyweight.ops._kernel import exps, gaussians, of_products
from flyweight.ops._overflow import power
from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

KERNELS = ("linear", "poly", "rbf", "laplacian", "sigmoid", "chi2", "additive_chi2")


class Kernel:
    """`points` of shape (points, features); `parameters` are gamma, coef0 and the degree, as far as the kernel has them."""

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("points", "F64", (None, width)).shape[0]
        points = rows_of(node.floats("points", count, width), count, width)
        self._kernel = node.choice("kernel", KERNELS)
        self._points: list[Any] = [tuple(point) for point in points] if self._kernel == "rbf" else points
        self._gamma, self._coef0, self._degree = node.floats("parameters", 3)
        self.kinds = "n" * count

    def row(self, x: "list[float]") -> "list[float]":
        """One value a point.

        :raises InvalidInput: a number below zero, where a chi-squared kernel has no value.
        """
        self._check(x)
        if self._kernel == "rbf":
            return gaussians(-self._gamma, x, self._points)
        if self._kernel == "laplacian":
            return exps([-self._gamma * total(map(abs, map(sub, x, point))) for point in self._points])
        if self._kernel in ("chi2", "additive_chi2"):
            apart = [_chi2(x, point) for point in self._points]
            return exps([-self._gamma * v for v in apart]) if self._kernel == "chi2" else [-v for v in apart]
        products = [dot(point, x) for point in self._points]
        return of_products(self._kernel, products, self._gamma, self._coef0, self._degree)

    def _check(self, x: "list[float]") -> None:
        if self._kernel in ("chi2", "additive_chi2") and not min(x, default=0.0) >= 0.0:
            raise InvalidInput(Fault("numbers that are not below 0", preview(min(x))))

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        return in_blocks(x, len(self._points), self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        points = np.array(self._points).reshape(len(self._points), x.shape[1])
        if self._kernel == "rbf":
            return np.exp(-self._gamma * squares(x, points))
        if self._kernel in ("chi2", "additive_chi2"):
            return np.array([self.row(row) for row in x.tolist()]).reshape(len(x), len(points))
        if self._kernel == "laplacian":
            return np.exp(-self._gamma * np.abs(x[:, np.newaxis] - points).sum(axis=2))
        products = x @ points.T
        if self._kernel == "linear":
            return products
        products = self._gamma * products + self._coef0
        return np.tanh(products) if self._kernel == "sigmoid" else products**self._degree

    def magnitude(self, x: "list[float]") -> "list[float]":
        """How large the terms were: a distance comes of squares, in which scikit-learn expands it."""
        own = total(map(mul, x, x))
        return [self._scale(x, point, own) for point in self._points]

    def _scale(self, x: "list[float]", point: "list[float]", own: float) -> float:
        if self._kernel in ("rbf", "laplacian"):
            return 1.0 + abs(self._gamma) * (own + total(map(mul, point, point)))
        if self._kernel in ("chi2", "additive_chi2"):
            return 1.0 + (abs(self._gamma) if self._kernel == "chi2" else 1.0) * abs(_chi2(x, point))
        product = total([abs(v * p) for v, p in zip(x, point, strict=True)])
        if self._kernel == "linear":
            return product
        product = abs(self._gamma) * product + abs(self._coef0)
        return product if self._kernel == "sigmoid" else power(product, self._degree)


def _chi2(x: "list[float]", point: "list[float]") -> float:
    """`sum((v - p) ** 2 / (v + p))`, where that is not zero over zero."""
    return total([(v - p) * (v - p) / (v + p) for v, p in zip(x, point, strict=True) if v + p])


class Shares:
    """Each column over the sum of all; where all are zero, as far from every point, no number (BaseLabelPropagation)."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()

    def row(self, x: "list[float]") -> "list[float]":
        """The shares."""
        whole = total(x)
        return [v / whole if whole else nan for v in x]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        return x / x.sum(axis=1, keepdims=True)


OPS = {"kernel": Kernel, "shares": Shares}
