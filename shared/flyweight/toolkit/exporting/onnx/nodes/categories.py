"""ONNX for `ops.categories`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def log_sums(graph: Graph, step: Step, x: Value) -> str:
    """Add the rows of the tables at each category, and refuse a number outside of them."""
    table = np.array(step.node.rows("tables", None, step.width))
    starts = step.node.indices("starts", len(table) + 1, len(x.kinds) + 1)
    counts = np.diff(starts).astype(float)[None]
    inside = graph.add("And", graph.add("Greater", x.numbers, -1.0), graph.add("Less", x.numbers, counts))
    places = graph.whole(graph.refusing(x.numbers, graph.add("Not", inside)))
    parts = [graph.constant(np.array([step.node.floats("prior", None)]))]
    for column, (begin, end) in enumerate(pairwise(starts)):
        parts.append(graph.add("Gather", table[begin:end], graph.column(places, column), axis=0))
    return graph.add("Sum", *parts)


NODES = {"log_sums": log_sums}
