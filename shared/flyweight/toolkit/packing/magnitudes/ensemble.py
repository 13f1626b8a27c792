"""Magnitudes of `ops.ensemble`."""

from __future__ import annotations

from flyweight.ops._arithmetic import total
from flyweight.ops.ensemble import Mean


def mean(op: Mean, *inputs: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one a column."""
    columns = zip(*inputs, strict=True)
    return [total(abs(v * w / op.divide) for v, w in zip(column, op.weights, strict=True)) for column in columns]


MAGNITUDES = {"mean": mean}
