"""Magnitudes of `ops.float32`."""

from __future__ import annotations

from math import inf

from flyweight.ops.float32 import Exp, Rising


def exp(op: Exp, x: list[float]) -> list[float]:
    """Return the means' own sizes, where they are finite."""
    return [v if v < inf else 0.0 for v in op.row(x)]


def rising(op: Rising, x: list[float]) -> list[float]:
    """Return the sums of the terms' sizes, one an expectile."""
    y = op.row(x)
    return [abs(x[0]) + abs(v - x[0]) for v in y]


MAGNITUDES = {"exp": exp, "rising": rising}
