"""Means under a log link: `exp` of weighted sums (`_GeneralizedLinearRegressor.predict`, scikit-learn 1.9)."""

from flyweight.ops._arithmetic import dot, exps
from flyweight.ops.linear import Affine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Mean(Affine):
    """`exp(weights @ x + intercept)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean an output."""
        return exps([dot(weights, x) + intercept for weights, intercept in self.sums])

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        return np.exp(super().batch(x))


OPS = {"mean": Mean}
