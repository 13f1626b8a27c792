"""Magnitudes of `ops.log_linear`."""

from __future__ import annotations

from flyweight.ops.log_linear import Mean, Reciprocal
from flyweight.toolkit.packing.magnitudes.linear import affine


def mean(op: Mean, x: list[float]) -> list[float]:
    """Return the mean times one plus the terms, one an output: rounding of the sum is a relative error of `exp`."""
    return [mean * (1.0 + terms) for mean, terms in zip(op.row(x), affine(op, x), strict=True)]


def reciprocal(op: Reciprocal, x: list[float]) -> list[float]:
    """Return the terms times the squared value, one an output: so does one over a sum pass on the sum's rounding."""
    return [terms * value * value for value, terms in zip(op.row(x), affine(op, x), strict=True)]


MAGNITUDES = {"mean": mean, "reciprocal": reciprocal}
