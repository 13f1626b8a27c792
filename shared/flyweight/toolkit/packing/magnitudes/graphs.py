"""Magnitudes of `ops.graphs`."""

from __future__ import annotations

from operator import mul

from flyweight.ops._arithmetic import total
from flyweight.ops.graphs import Barycenter, Paths


def paths(op: Paths, x: list[float]) -> list[float]:
    """Return the values' own sizes, one a training row."""
    return [0.5 * d * d for d in op.shortest(x)]


def barycenter(op: Barycenter, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one an output."""
    weights, rows = op.weights(x)
    return [total(map(abs, map(mul, weights, column))) for column in zip(*rows, strict=True)]


MAGNITUDES = {"paths": paths, "barycenter": barycenter}
