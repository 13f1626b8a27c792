"""Magnitudes of `ops.gaussian`."""

from __future__ import annotations

from operator import mul

from flyweight.ops._arithmetic import total
from flyweight.ops.gaussian import Diagonal, Expanded, Whitened


def diagonal(op: Diagonal, x: list[float]) -> list[float]:
    """Return the sum of the terms, which have one sign, one a component."""
    return [abs(constant) + abs(constant - v) for constant, v in zip(op.constants, op.row(x), strict=True)]


def expanded(op: Expanded, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one a component."""
    powers = [*x, *map(mul, x, x)]
    parts = [(constant, own, map(mul, weights, powers)) for constant, own, weights in op.components]
    return [abs(constant) + 0.5 * (abs(own) + total(map(abs, terms))) for constant, own, terms in parts]


def whitened(op: Whitened, x: list[float]) -> list[float]:
    """Return the scale of the terms, one a component: `|x| + |mean|` along each axis, squared.

    The mixtures project x and the mean separately.
    """
    scales = []
    for constant, means, factors in op.components:
        apart = [abs(v) + abs(m) for v, m in zip(x, means, strict=True)]
        y = [total(abs(w) * v for w, v in zip(axis, apart, strict=True)) for axis in factors]
        scales.append(abs(constant) + 0.5 * total(map(mul, y, y)))
    return scales


MAGNITUDES = {"diagonal": diagonal, "expanded": expanded, "whitened": whitened}
