"""ONNX for `ops.log_linear`."""

from __future__ import annotations

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.linear import affine
from flyweight.toolkit.exporting.planned import Step, Value


def mean(graph: Graph, step: Step, x: Value) -> str:
    """Take `exp` of the weighted sums."""
    return graph.add("Exp", affine(graph, step, x))


def reciprocal(graph: Graph, step: Step, x: Value) -> str:
    """Divide 1 by the weighted sums."""
    return graph.add("Div", 1.0, affine(graph, step, x))


NODES = {"mean": mean, "reciprocal": reciprocal}
