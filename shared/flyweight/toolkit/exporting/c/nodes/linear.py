"""C for `ops.linear`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def affine(source: Source, step: Step, x: Value) -> str:
    """Multiply by the weights and add the intercepts."""
    width = len(x.kinds)
    weights = source.array([v for row in step.node.rows("weights", step.width, width) for v in row])
    intercept = source.array(step.node.floats("intercept", step.width))
    y = source.numbers(step.width)
    call = f"{source.use('dot')}({weights} + {width} * i, {x.numbers}, {width})"
    source.each(step.width, f"{y}[i] = {call} + {intercept}[i];")
    return y


NODES = {"affine": affine}
