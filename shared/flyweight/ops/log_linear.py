"""Means under a log link, from numbers to `exp` of weighted sums (`_GeneralizedLinearRegressor.predict`, scikit-learn 1.9)."""

from flyweight.ops._kernel import exps
from flyweight.ops._sums import dot
from flyweight.ops.linear import Affine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Mean(Affine):
    """`exp(weights @ x + intercept)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """One mean an output."""
        return exps([dot(weights, x) + intercept for weights, intercept in self._rows])

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return np.exp(super().batch(x))

    def magnitude(self, x: "list[float]") -> "list[float]":
        """How far rounding of the sum can carry, a relative error of `exp`: the mean times one plus the terms."""
        return [mean * (1.0 + terms) for mean, terms in zip(self.row(x), super().magnitude(x), strict=True)]


OPS = {"mean": Mean}
