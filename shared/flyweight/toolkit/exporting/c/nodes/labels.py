"""C for `ops.labels`."""

from __future__ import annotations

from itertools import accumulate

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def argmax(source: Source, step: Step, x: Value) -> str:
    """Write the place of the largest column of each output."""
    widths = step.node.positions("widths", len(x.kinds) + 1)
    y = source.numbers(step.width)
    for output, (end, width) in enumerate(zip(accumulate(widths), widths, strict=True)):
        source.line(f"{y}[{output}] = {source.use('argmax')}({x.numbers} + {end - width}, {width});")
    return y


def above(source: Source, step: Step, x: Value) -> str:
    """Write 1 where the score is above 0."""
    y = source.numbers(1)
    source.line(f"{y}[0] = {x.numbers}[0] {'>=' if step.node.choice('inclusive', (True, False)) else '>'} 0.0;")
    return y


NODES = {"argmax": argmax, "above": above}
