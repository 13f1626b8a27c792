"""Magnitudes of `ops.centers`."""

from __future__ import annotations

from math import sqrt

from flyweight.ops._arithmetic import dot
from flyweight.ops.centers import Distances


def distances(op: Distances, x: list[float]) -> list[float]:
    """Return the scale at which a bound of 1e-12 is the effect on the root of rounding the terms by 1e-15, one a center.

    The effect grows near zero.
    """
    own = dot(x, x)
    terms = [1e-15 * (2.0 * own + 2.0 * norm) for norm in op.norms]
    return [1e12 * (term / sqrt(s) if s > term else sqrt(term)) for term, s in zip(terms, op.squares(x), strict=True)]


MAGNITUDES = {"distances": distances}
