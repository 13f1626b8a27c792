"""Means under a log link, from numbers to `exp` of weighted sums (`_GeneralizedLinearRegressor.predict`, scikit-learn 1.9)."""

from math import exp, inf

from flyweight.ops.linear import Affine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Mean(Affine):
    """`exp(weights @ x + intercept)`."""

    def row(self, x: "list[float]") -> "list[float]":
        """One mean an output."""
        return [_exp(v) for v in super().row(x)]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return np.exp(super().batch(x))

    def magnitude(self, x: "list[float]") -> "list[float]":
        """How far rounding of the sum can carry, a relative error of `exp`: the mean times one plus the terms."""
        return [mean * (1.0 + terms) for mean, terms in zip(self.row(x), super().magnitude(x), strict=True)]


def _exp(v: float) -> float:
    try:
        return exp(v)
    except OverflowError:  # C's exp gives infinity where Python's raises
        return inf


OPS = {"mean": Mean}
