"""ONNX for `ops.processes`."""

from __future__ import annotations

from math import pi

import numpy as np

from flyweight.ops.processes import JOINS, MATERN
from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.onnx.nodes.kernels import squares
from flyweight.toolkit.exporting.planned import Step, Value


def mean(graph: Graph, step: Step, x: Value) -> str:
    """Weigh the kernel's value at each point, then multiply and add."""
    count = step.node.array("weights", "F64", (None, None)).shape[1]
    weights = np.array(step.node.rows("weights", step.width, count)).reshape(step.width, count)
    multiply, add = (np.array([step.node.floats(name, step.width)]) for name in ("multiply", "add"))
    sums = graph.add("MatMul", _kernel(graph, step, x.numbers), weights.T)
    return graph.add("Add", graph.add("Mul", sums, multiply), add)


def _kernel(graph: Graph, step: Step, x: str) -> str:
    """Return the kernel's value at each point, from its parts in postfix order."""
    stack: list[str] = []
    for word, own, scales, points in step.op.parts:
        if word in JOINS:
            other = stack.pop()
            stack[-1] = graph.add("Add" if word == "sum" else "Mul", stack[-1], other)
        elif word == "power":
            stack[-1] = graph.add("Pow", stack[-1], own[0])
        else:
            stack.append(_part(graph, word, own, graph.add("Div", x, np.array([scales])) if scales else x, np.array(points)))
    return stack[0]


def _part(graph: Graph, word: str, own: list[float], x: str, points: Array) -> str:
    """Return the values of one part that joins no others."""
    if word in ("constant", "white"):
        return graph.repeated(np.full((1, len(points)), own[0] if own else 0.0))
    if word == "dot":
        return graph.add("Add", graph.add("MatMul", x, points.T), own[0] * own[0])
    square = squares(graph, x, points)
    if word == "rbf":
        return graph.add("Exp", graph.add("Mul", square, -0.5))
    if word == "quadratic":
        return graph.add("Pow", graph.add("Add", graph.add("Div", square, 2.0 * own[0]), 1.0), -own[0])
    apart = graph.add("Sqrt", square)
    if word == "periodic":
        wave = graph.add("Div", graph.add("Sin", graph.add("Mul", apart, pi / own[1])), own[0])
        return graph.add("Exp", graph.add("Mul", graph.add("Mul", wave, wave), -2.0))
    steep = graph.add("Mul", apart, MATERN[word])
    falling = graph.add("Exp", graph.add("Neg", steep))
    if word == "matern_0.5":
        return falling
    front = graph.add("Add", steep, 1.0)
    if word == "matern_2.5":
        front = graph.add("Add", front, graph.add("Div", graph.add("Mul", steep, steep), 3.0))
    return graph.add("Mul", front, falling)


NODES = {"mean": mean}
