"""Magnitudes of `ops.pairs`."""

from __future__ import annotations

from math import isfinite
from typing import Any

from flyweight.ops.pairs import Apply


def apply(op: Apply, x: list[Any]) -> list[float]:
    """Return the results' own sizes, where they are finite."""
    return [abs(v) if isfinite(v) else 0.0 for v in [op.function(a, b) for a, b in op.pairs(x)]]


MAGNITUDES = {"apply": apply}
