"""Magnitudes of `ops.pairwise`."""

from __future__ import annotations

from operator import mul

from flyweight.ops._arithmetic import power, total
from flyweight.ops.pairwise import Kernel, chi2


def kernel(op: Kernel, x: list[float]) -> list[float]:
    """Return the scale of the terms, one a point: distances are made of squares, which scikit-learn expands."""
    own = total(map(mul, x, x))
    return [_scale(op, x, point, own) for point in op.points]


def _scale(op: Kernel, x: list[float], point: list[float], own: float) -> float:
    if op.kernel in ("rbf", "laplacian"):
        return 1.0 + abs(op.gamma) * (own + total(map(mul, point, point)))
    if op.kernel in ("chi2", "additive_chi2"):
        return 1.0 + (abs(op.gamma) if op.kernel == "chi2" else 1.0) * abs(chi2(x, point))
    product = total([abs(v * p) for v, p in zip(x, point, strict=True)])
    if op.kernel == "linear":
        return product
    product = abs(op.gamma) * product + abs(op.coef0)
    return product if op.kernel == "sigmoid" else power(product, op.degree)


MAGNITUDES = {"kernel": kernel}
