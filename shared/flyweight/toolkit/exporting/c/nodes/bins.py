"""C for `ops.bins`."""

from __future__ import annotations

from itertools import pairwise

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def digitize(source: Source, step: Step, x: Value) -> str:
    """Count each column's edges at or below the value; all of them for NaN."""
    edges = step.node.floats("edges", None)
    starts = step.node.indices("starts", len(edges) + 1, step.width + 1)
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = 0.0;")
    for column, (begin, end) in enumerate(pairwise(starts)):
        table = source.array(edges[begin:end])
        source.each(end - begin, f"{y}[{column}] += {x.numbers}[{column}] < {table}[i] ? 0.0 : 1.0;")
    return y


NODES = {"digitize": digitize}
