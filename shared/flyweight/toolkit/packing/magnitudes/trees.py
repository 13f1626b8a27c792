"""Magnitudes of `ops.trees`."""

from __future__ import annotations

from flyweight.ops.trees import Sum


def add(op: Sum, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, an upper bound for each output."""
    largest = sum([max([abs(column[leaf]) for column in op.columns]) for leaf in op.leaves(x)])
    return [abs(base) + largest for base in op.base]


MAGNITUDES = {"sum": add}
