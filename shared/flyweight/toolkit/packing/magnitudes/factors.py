"""Magnitudes of `ops.factors`."""

from __future__ import annotations

from flyweight.ops._arithmetic import dot
from flyweight.ops.factors import Descent, Scaling


def shares(op: Descent | Scaling, x: list[float]) -> list[float]:
    """Return the size of each part's share if it were the only part."""
    lengths = [own[i] for i, own in enumerate(op.gram)]
    return [abs(dot(part, x)) / length if length else 0.0 for part, length in zip(op.parts, lengths, strict=True)]


MAGNITUDES = {"descent": shares, "scaling": shares}
