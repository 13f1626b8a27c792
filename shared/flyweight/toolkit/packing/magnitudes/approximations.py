"""Magnitudes of `ops.approximations`."""

from __future__ import annotations

from math import inf, log, sqrt

from flyweight.ops.approximations import AdditiveChi2, Sketch


def additive_chi2(op: AdditiveChi2, x: list[float]) -> list[float]:
    """Return the roots times the range of the waves' arguments, one a column."""
    angles = [abs(op.interval * log(v)) if v > 0.0 else 0.0 for v in x]
    return [sqrt(abs(v) * op.interval) * (2.0 + op.steps * a) for v, a in zip(x, angles, strict=True)]


def sketch(op: Sketch, x: list[float]) -> list[float]:
    """Return the largest size that a coefficient can have."""
    size = sum(abs(op.factor * v) for v in x) + sum(map(abs, op.constant))
    try:
        return [size**op.degree]
    except OverflowError:
        return [inf]


MAGNITUDES = {"additive_chi2": additive_chi2, "sketch": sketch}
