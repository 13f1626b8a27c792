"""ONNX for `ops.links`; the operator Sigmoid is not used, since onnxruntime's is 5.5e-10 away."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def sigmoid(graph: Graph, step: Step, x: Value) -> str:
    """Return the probabilities of two classes."""
    p = logistic(graph, graph.add("Mul", x.numbers, float(step.node.choice("factor", (1, 2)))))
    return graph.joined([graph.add("Sub", 1.0, p), p])


def logistic(graph: Graph, x: str) -> str:
    """Return `1 / (1 + exp(-x))`."""
    return graph.add("Div", 1.0, graph.add("Add", graph.add("Exp", graph.add("Neg", x)), 1.0))


def softmax(graph: Graph, step: Step, x: Value) -> str:
    """Return `exp` over its sum, shifted by the largest score."""
    parts = graph.add("Exp", graph.add("Sub", x.numbers, _top(graph, x.numbers)))
    return graph.add("Div", parts, graph.sum(parts))


def one_vs_rest(graph: Graph, step: Step, x: Value) -> str:
    """Return each score's sigmoid, over their sum."""
    return _shares(graph, logistic(graph, x.numbers), len(x.kinds))


def modified_huber(graph: Graph, step: Step, x: Value) -> str:
    """Return `(clip(score, -1, 1) + 1) / 2`."""
    clipped = graph.add("Max", graph.add("Min", x.numbers, 1.0), -1.0)
    parts = graph.add("Div", graph.add("Add", clipped, 1.0), 2.0)
    return graph.joined([graph.add("Sub", 1.0, parts), parts]) if len(x.kinds) == 1 else _shares(graph, parts, len(x.kinds))


def exp(graph: Graph, step: Step, x: Value) -> str:
    """Return `exp(score)`."""
    return graph.add("Exp", x.numbers)


def log_sum(graph: Graph, step: Step, x: Value) -> str:
    """Return the logarithm of the sum of `exp(score)`."""
    top = _top(graph, x.numbers)
    whole = graph.add("Add", top, graph.add("Log", graph.sum(graph.add("Exp", graph.add("Sub", x.numbers, top)))))
    return graph.add("Where", graph.not_finite(top), top, whole)


def _top(graph: Graph, x: str) -> str:
    return graph.add("ReduceMax", x, np.array([1]), keepdims=1)


def _shares(graph: Graph, parts: str, width: int) -> str:
    """Return the parts over their sum, or equal shares where all are zero."""
    whole = graph.sum(parts)
    return graph.add("Where", graph.add("Equal", whole, 0.0), 1.0 / width, graph.add("Div", parts, whole))


NODES = {
    "sigmoid": sigmoid,
    "softmax": softmax,
    "one_vs_rest": one_vs_rest,
    "modified_huber": modified_huber,
    "exp": exp,
    "log_sum": log_sum,
}
