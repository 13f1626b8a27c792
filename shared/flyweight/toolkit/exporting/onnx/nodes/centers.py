"""ONNX for `ops.centers`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def nearest(graph: Graph, step: Step, x: Value) -> str:
    """Return the label of the nearest center."""
    centers = np.array(step.node.rows("centers", None, len(x.kinds)))
    apart = graph.add("Sub", (centers * centers).sum(axis=1)[None], graph.add("MatMul", x.numbers, 2.0 * centers.T))
    labels = np.asarray(step.node.array("labels", "U8 I16 I32 I64", (len(centers),)).values).astype(float)
    return graph.add("Gather", labels, graph.add("ArgMin", apart, axis=1, keepdims=1), axis=0)


def distances(graph: Graph, step: Step, x: Value) -> str:
    """Return the distance to each center."""
    centers = np.array(step.node.rows("centers", None, len(x.kinds)))
    own = graph.sum(graph.add("Mul", x.numbers, x.numbers))
    apart = graph.add("Sub", own, graph.add("MatMul", x.numbers, 2.0 * centers.T))
    squares = graph.add("Add", apart, (centers * centers).sum(axis=1)[None])
    return graph.add("Sqrt", graph.add("Max", squares, 0.0))


NODES = {"nearest": nearest, "distances": distances}
