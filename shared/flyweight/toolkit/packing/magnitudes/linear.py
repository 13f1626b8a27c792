"""Magnitudes of `ops.linear`."""

from __future__ import annotations

from flyweight.ops._arithmetic import total
from flyweight.ops.linear import Affine


def affine(op: Affine, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one an output."""
    return [total(abs(w * v) for w, v in zip(weights, x, strict=True)) + abs(b) for weights, b in op.sums]


MAGNITUDES = {"affine": affine}
