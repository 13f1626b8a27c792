"""Means under a link: `exp` of weighted sums (`_GeneralizedLinearRegressor.predict`, scikit-learn 1.9), or one over them."""

from math import copysign, inf

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

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.exp(super().over(xp, arrays, x))


class Reciprocal(Affine):
    """`1 / (weights @ x + intercept)` (statsmodels' link InversePower)."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean an output."""
        return [1.0 / v if v else copysign(inf, v) for v in super().row(x)]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return 1.0 / super().over(xp, arrays, x)


OPS = {"mean": Mean, "reciprocal": Reciprocal}
