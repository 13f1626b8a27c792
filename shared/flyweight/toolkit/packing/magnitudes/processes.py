"""Magnitudes of `ops.processes`."""

from __future__ import annotations

from math import pi
from operator import add, mul, truediv

from flyweight.ops._arithmetic import power, total
from flyweight.ops._kernel_values import distances
from flyweight.ops.processes import JOINS, MATERN, Mean, stationary


def mean(op: Mean, x: list[float]) -> list[float]:
    """Return the sum of the terms' scales, one an output."""
    scales = _scales(op, x)
    return [
        abs(m) * total([abs(w) * s for w, s in zip(weights, scales, strict=False)]) + abs(a)
        for weights, (m, a) in zip(op.weights, op.last, strict=True)
    ]


def _scales(op: Mean, x: list[float]) -> list[float]:
    """Return the scale of the terms of the kernel's value, one a point."""
    stack: list[list[float]] = []
    for word, own, lengths, points in op.parts:
        if word in JOINS:
            other = stack.pop()
            stack[-1] = list(map(add if word == "sum" else mul, stack[-1], other))
        elif word == "power":
            stack[-1] = [power(v, own[0]) for v in stack[-1]]
        elif word in ("constant", "white"):
            stack.append([abs(own[0]) if own else 0.0] * len(points))
        elif word == "dot":
            stack.append([total(map(abs, map(mul, x, point))) + own[0] * own[0] for point in points])
        else:
            scaled = [*map(truediv, x, lengths)] if lengths else x
            stack.append(_stationary(word, own, [*distances(scaled, points)]))
    return stack[0]


def _stationary(word: str, own: list[float], apart: list[float]) -> list[float]:
    """Return how rounding of the distance scales in each value: by the value times the argument of its exponential."""
    if word == "periodic":
        length, period = own
        return [1.0 + abs(pi / period * d / length) for d in apart]
    if word == "rbf":
        arguments = [d * d for d in apart]
    else:
        arguments = [abs(own[0])] * len(apart) if word == "quadratic" else [MATERN[word] * d for d in apart]
    values = stationary(word, own, apart)
    return [abs(v) * (1.0 + argument) if v else 0.0 for v, argument in zip(values, arguments, strict=True)]


MAGNITUDES = {"mean": mean}
