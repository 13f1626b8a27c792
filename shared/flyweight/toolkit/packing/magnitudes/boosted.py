"""Magnitudes of `ops.boosted`."""

from __future__ import annotations

from flyweight.ops.boosted import LinearLeaves


def linear_leaves(op: LinearLeaves, x: list[float]) -> list[float]:
    """Return the sum of all terms' absolute values, an upper bound for each output."""
    parts = [abs(op.leaves[leaf]) + abs(op.constants[leaf]) + _size(op, x, leaf) for leaf in op.forest.leaves(x)]
    return [sum(parts)]


def _size(op: LinearLeaves, x: list[float], leaf: int) -> float:
    """Return the sum of a leaf's linear terms' absolute values."""
    return 0.0 if op.misses(x, leaf) else sum([abs(coefficient * x[feature]) for feature, coefficient in op.terms[leaf]])


MAGNITUDES = {"linear_leaves": linear_leaves}
