"""Magnitudes of `ops.elementwise`."""

from __future__ import annotations

from math import isfinite

from flyweight.ops.elementwise import Apply, BoxCox, Power, YeoJohnson


def apply(op: Apply, x: list[float]) -> list[float]:
    """Return the values' own sizes, where they are finite."""
    return [abs(v) if isfinite(v) else 0.0 for v in map(op.function, x)]


def power(op: Power, x: list[float]) -> list[float]:
    """Return the powers' own sizes, where they are finite."""
    return [abs(v) if isfinite(v) else 0.0 for v in op.row(x)]


def transformed(op: BoxCox | YeoJohnson, x: list[float]) -> list[float]:
    """Return the sizes of both sides of the subtraction, over the scale, one a column."""
    pairs = zip(x, op.columns, strict=True)
    sizes = [(abs(op.power(v, exponent)) + abs(mean)) / abs(scale) for v, (exponent, mean, scale) in pairs]
    return [v if isfinite(v) else 0.0 for v in sizes]


MAGNITUDES = {"apply": apply, "power": power, "box_cox": transformed, "yeo_johnson": transformed}
