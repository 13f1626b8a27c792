"""ONNX for `ops.sparse`: sparse values are ordinary ones here, with their zeros."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.scale import norms
from flyweight.toolkit.exporting.planned import Step, Value


def same(graph: Graph, step: Step, x: Value) -> str:
    """Return the numbers as they are."""
    return x.numbers


def take(graph: Graph, step: Step, x: Value) -> str:
    """Gather columns."""
    return graph.columns(x.numbers, step.node.indices("positions", len(x.kinds), None))


def join(graph: Graph, step: Step, *inputs: Value) -> str:
    """Join columns."""
    return graph.joined([x.numbers for x in inputs if x.numbers])


def stretch(graph: Graph, step: Step, x: Value) -> str:
    """Multiply each column; a zero stays one."""
    return graph.add("Mul", x.numbers, np.array([step.node.floats("multiply", step.width)]))


def log(graph: Graph, step: Step, x: Value) -> str:
    """Return `log(v) + 1` of what is not zero."""
    return graph.add("Where", graph.add("Equal", x.numbers, 0.0), 0.0, graph.add("Add", graph.add("Log", x.numbers), 1.0))


def normalize(graph: Graph, step: Step, x: Value) -> str:
    """Divide each row by its norm, if that is not zero."""
    norm = norms(graph, x.numbers, step.node.choice("norm", ("l1", "l2", "max")))
    return graph.add("Where", graph.add("Equal", norm, 0.0), x.numbers, graph.add("Div", x.numbers, norm))


def affine(graph: Graph, step: Step, x: Value) -> str:
    """Multiply by the weights and add the intercepts."""
    weights = np.array(step.node.rows("weights", len(x.kinds), step.width)).reshape(len(x.kinds), step.width)
    return graph.add("Add", graph.add("MatMul", x.numbers, weights), np.array([step.node.floats("intercept", step.width)]))


NODES = {
    "spread": same,
    "gather": same,
    "take": take,
    "join": join,
    "stretch": stretch,
    "log": log,
    "normalize": normalize,
    "affine": affine,
}
