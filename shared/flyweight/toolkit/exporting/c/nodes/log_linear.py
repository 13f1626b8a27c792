"""C for `ops.log_linear`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.nodes.linear import affine
from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def mean(source: Source, step: Step, x: Value) -> str:
    """Take `exp` of the weighted sums."""
    y = affine(source, step, x)
    source.each(step.width, f"{y}[i] = exp({y}[i]);")
    return y


def reciprocal(source: Source, step: Step, x: Value) -> str:
    """Divide 1 by the weighted sums."""
    y = affine(source, step, x)
    source.each(step.width, f"{y}[i] = 1.0 / {y}[i];")
    return y


NODES = {"mean": mean, "reciprocal": reciprocal}
