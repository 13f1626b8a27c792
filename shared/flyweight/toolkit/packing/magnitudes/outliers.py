"""Magnitudes of `ops.outliers`."""

from __future__ import annotations

from operator import mul

from flyweight.ops._arithmetic import total
from flyweight.ops.outliers import Mahalanobis


def mahalanobis(op: Mahalanobis, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values."""
    apart = [abs(v) + abs(m) for v, m in zip(x, op.mean, strict=True)]
    weighted = [total(abs(w) * v for w, v in zip(row, apart, strict=True)) for row in op.matrix]
    return [total(map(mul, apart, weighted)) + abs(op.offset)]


MAGNITUDES = {"mahalanobis": mahalanobis}
