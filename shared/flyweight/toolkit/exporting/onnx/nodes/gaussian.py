"""ONNX for `ops.gaussian`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def diagonal(graph: Graph, step: Step, x: Value) -> str:
    """Return `constant - sum((x - mean)^2 / variance) / 2` of each component."""
    means, variances = (np.array(step.node.rows(name, step.width, len(x.kinds))) for name in ("means", "variances"))
    apart = graph.add("Sub", graph.add("Unsqueeze", x.numbers, np.array([1])), means[None])
    terms = graph.add("Mul", graph.add("Mul", apart, apart), (1.0 / variances)[None])
    return _density(graph, step, graph.add("ReduceSum", terms, np.array([2]), keepdims=0))


def expanded(graph: Graph, step: Step, x: Value) -> str:
    """Return the same, multiplied out."""
    means, precisions = (np.array(step.node.rows(name, step.width, len(x.kinds))) for name in ("means", "precisions"))
    scaled = means * precisions
    linear = graph.add("MatMul", x.numbers, (-2.0 * scaled).T)
    squares = graph.add("MatMul", graph.add("Mul", x.numbers, x.numbers), precisions.T)
    return _density(graph, step, graph.add("Add", graph.add("Add", linear, squares), (means * scaled).sum(axis=1)[None]))


def whitened(graph: Graph, step: Step, x: Value) -> str:
    """Return `constant - sum(((x - mean) @ factor)^2) / 2` of each component."""
    parts = []
    for _, means, factors in step.op.components:
        y = graph.add("MatMul", graph.add("Sub", x.numbers, np.array([means])), np.array(factors).reshape(-1, len(means)).T)
        parts.append(graph.sum(graph.add("Mul", y, y)))
    return _density(graph, step, graph.joined(parts))


def _density(graph: Graph, step: Step, distances: str) -> str:
    return graph.add("Sub", np.array([step.node.floats("constants", None)]), graph.add("Mul", distances, 0.5))


NODES = {"diagonal": diagonal, "expanded": expanded, "whitened": whitened}
