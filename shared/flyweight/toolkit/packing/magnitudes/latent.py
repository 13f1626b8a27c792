"""Magnitudes of `ops.latent`."""

from __future__ import annotations

from flyweight.ops._arithmetic import total
from flyweight.ops.latent import Share


def share(op: Share, x: list[float]) -> list[float]:
    """Return the sum of the terms' absolute values: terms of thousands nearly cancel, and add up to less than one."""
    return [total(map(abs, op.terms(x)))]


MAGNITUDES = {"share": share}
