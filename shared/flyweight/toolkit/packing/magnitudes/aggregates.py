"""Magnitudes of `ops.aggregates`."""

from __future__ import annotations

from math import isfinite
from typing import Any

from flyweight.ops._arithmetic import total
from flyweight.ops.aggregates import Apply


def apply(op: Apply, x: list[Any]) -> list[float]:
    """Return the sum of the numbers' sizes and the results' own: a product or a variance may be far larger than the numbers."""
    sizes = [total(map(abs, op.present(x))), *map(abs, op.row(x))]
    return [v for v in sizes if isfinite(v)]


MAGNITUDES = {"apply": apply}
