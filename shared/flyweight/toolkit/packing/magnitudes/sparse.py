"""Magnitudes of `ops.sparse`."""

from __future__ import annotations

from flyweight.ops._arithmetic import total
from flyweight.ops.sparse import Affine


def affine(op: Affine, x: dict[int, float]) -> list[float]:
    """Return the sum of the terms' absolute values, one an output."""
    values = x.values()
    pairs = zip(op.weights(x), op.intercept, strict=True)
    return [total([abs(w * v) for w, v in zip(own, values, strict=True)]) + abs(b) for own, b in pairs]


MAGNITUDES = {"affine": affine}
