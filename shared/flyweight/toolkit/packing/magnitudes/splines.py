"""Magnitudes of `ops.splines`."""

from __future__ import annotations

from flyweight.ops.splines import Basis


def basis(op: Basis, x: list[float]) -> list[float]:
    """Return the largest value's size: beyond the boundaries values grow with a power of the distance."""
    return [max(map(abs, op.row(x)), default=0.0)]


MAGNITUDES = {"basis": basis}
