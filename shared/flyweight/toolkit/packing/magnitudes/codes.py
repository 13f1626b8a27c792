"""Magnitudes of `ops.codes`."""

from __future__ import annotations

from flyweight.ops.codes import Pursuit


def pursuit(op: Pursuit, x: list[float]) -> list[float]:
    """Return the largest product: rounding changes the code as much as it changes that product."""
    return [max(map(abs, x), default=0.0)]


MAGNITUDES = {"pursuit": pursuit}
