"""ONNX for `ops.scale`: the same elementwise arithmetic in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.scale import TINY_NORM
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def center(graph: Graph, step: Step, x: Value) -> str:
    """Subtract, then divide."""
    y = x.numbers
    for name, op in (("subtract", "Sub"), ("divide", "Div")):
        y = graph.add(op, y, np.array([step.node.floats(name, step.width)])) if step.node.has(name) else y
    return y


def stretch(graph: Graph, step: Step, x: Value) -> str:
    """Multiply, add, and keep within the limits."""
    multiply, add = (np.array([step.node.floats(name, step.width)]) for name in ("multiply", "add"))
    y = graph.add("Add", graph.add("Mul", x.numbers, multiply), add)
    return kept(graph, y, *step.node.floats("limits", 2)) if step.node.has("limits") else y


def clip(graph: Graph, step: Step, x: Value) -> str:
    """Keep each column within its limits."""
    low, high = (np.array([step.node.floats(name, step.width)]) for name in ("low", "high"))
    return kept(graph, x.numbers, low, high)


def kept(graph: Graph, x: str, low: Any, high: Any) -> str:
    """Return numbers within limits; NaN stays."""
    above = graph.add("Where", graph.add("Greater", x, high), high, x)
    return graph.add("Where", graph.add("Less", x, low), low, above)


def normalize(graph: Graph, step: Step, x: Value) -> str:
    """Divide each row by its norm, if that is not tiny."""
    norm = norms(graph, x.numbers, step.node.choice("norm", ("l1", "l2", "max")))
    return graph.add("Where", graph.add("Less", norm, TINY_NORM), x.numbers, graph.add("Div", x.numbers, norm))


def norms(graph: Graph, x: str, norm: str) -> str:
    """Return the norm of each row, of shape (rows, 1)."""
    if norm == "l2":
        return graph.add("Sqrt", graph.sum(graph.add("Mul", x, x)))
    sizes = graph.add("Abs", x)
    return graph.sum(sizes) if norm == "l1" else graph.add("ReduceMax", sizes, np.array([1]), keepdims=1)


NODES = {"center": center, "stretch": stretch, "clip": clip, "normalize": normalize}
