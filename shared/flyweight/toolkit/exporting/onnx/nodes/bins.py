"""ONNX for `ops.bins`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def digitize(graph: Graph, step: Step, x: Value) -> str:
    """Count each column's edges at or below the value."""
    edges = step.node.floats("edges", None)
    starts = step.node.indices("starts", len(edges) + 1, step.width + 1)
    return graph.joined([below(graph, x.numbers, c, edges[a:b]) for c, (a, b) in enumerate(pairwise(starts))])


def below(graph: Graph, x: str, column: int, edges: list[float]) -> str:
    """Count the edges at or below the values of a column; all of them for NaN. Of shape (rows, 1)."""
    v = graph.columns(x, [column])
    if not edges:
        return graph.add("Where", graph.add("IsNaN", v), 0.0, graph.add("Mul", v, 0.0))
    beyond = graph.add("Not", graph.add("Less", v, np.array([edges])))
    return graph.sum(graph.double(beyond))


NODES = {"digitize": digitize}
