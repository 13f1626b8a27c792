"""Magnitudes of `ops.categories`."""

from __future__ import annotations

from flyweight.ops._arithmetic import total
from flyweight.ops.categories import LogSums


def log_sums(op: LogSums, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one a class."""
    return [total(map(abs, terms)) for terms in op.terms(x)]


MAGNITUDES = {"log_sums": log_sums}
