"""Magnitudes of `ops.kernels`."""

from __future__ import annotations

from operator import mul
from typing import Any

from flyweight.ops._arithmetic import power, total
from flyweight.ops.kernels import Machine


def machine(op: Machine, x: Any) -> list[float]:
    """Return the sum of the terms' scales, one a pair of classes; `x` may be sparse."""
    values = _scales(op, x)
    return [
        total([abs(term) for begin, end, weights in pair for term in map(mul, weights, values[begin:end])]) + abs(intercept)
        for pair, intercept in zip(op.pairs, op.intercept, strict=True)
    ]


def _scales(op: Machine, x: Any) -> list[float]:
    """Return the scale of each kernel value; rbf and sigmoid are below 1, and no steeper than their argument."""
    if op.kernel == "rbf":
        return [1.0] * op.count
    products = [total(map(abs, terms)) for terms in op.terms(x)]
    if op.kernel == "linear":
        return products
    products = [abs(op.gamma) * product + abs(op.coef0) for product in products]
    return products if op.kernel == "sigmoid" else [power(product, op.degree) for product in products]


MAGNITUDES = {"machine": machine}
