"""Magnitudes of `ops.catboost`."""

from __future__ import annotations

from flyweight.ops.catboost import Oblivious


def oblivious(op: Oblivious, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values, one an output."""
    sizes = [sum(map(abs, terms)) for terms in op.terms(x)]
    return [abs(bias) + abs(op.scale) * size for size, bias in zip(sizes, op.bias, strict=True)]


MAGNITUDES = {"oblivious": oblivious}
