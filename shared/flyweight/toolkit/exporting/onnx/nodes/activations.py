"""ONNX for `ops.activations`."""

from __future__ import annotations

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes import links
from flyweight.toolkit.exporting.planned import Step, Value


def relu(graph: Graph, step: Step, x: Value) -> str:
    """Put 0 for numbers below it."""
    return graph.add("Where", graph.add("Less", x.numbers, 0.0), 0.0, x.numbers)


def tanh(graph: Graph, step: Step, x: Value) -> str:
    """Return the hyperbolic tangent."""
    return graph.add("Tanh", x.numbers)


def logistic(graph: Graph, step: Step, x: Value) -> str:
    """Return the logistic function."""
    return links.logistic(graph, x.numbers)


NODES = {"relu": relu, "tanh": tanh, "logistic": logistic}
