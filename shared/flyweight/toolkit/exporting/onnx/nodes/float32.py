"""ONNX for `ops.float32`: sums in float32, and `expf` by the same operations in float64 as in the op."""

from __future__ import annotations

import numpy as np

from flyweight.ops.float32 import LEAST_POWER
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.trees import added
from flyweight.toolkit.exporting.planned import Step, Value

LARGEST = 88.72283172607422  # whose `expf` is finite
LN2 = 0.6931471806916203


def rounded(graph: Graph, step: Step, x: Value) -> str:
    """Round to float32, and put NaN for the values that mean missing."""
    y = graph.single(x.numbers)
    for missing in step.node.items("missing", (int, float)):
        y = graph.add("Where", graph.add("Equal", y, float(np.float32(missing))), np.nan, y)
    return y


def category(graph: Graph, step: Step, x: Value) -> str:
    """Cut categories to whole numbers; unknown ones become their column's limit."""
    limits = np.array([step.node.items("limits", (int,), step.width)], dtype=float)
    known = graph.add("And", graph.add("GreaterOrEqual", x.numbers, 0.0), graph.add("Less", x.numbers, limits))
    y = graph.add("Where", known, graph.add("Floor", x.numbers), limits)
    return graph.add("Where", graph.add("Or", graph.add("IsNaN", x.numbers), limits == 0.0), x.numbers, y)


def sum_(graph: Graph, step: Step, x: Value) -> str:
    """Add the leaves in float32."""
    return graph.double(added(graph, step, x.numbers, np.float32))


def exp(graph: Graph, step: Step, x: Value) -> str:
    """Return `expf`."""
    return graph.single(_exp(graph, x.numbers))


def sigmoid(graph: Graph, step: Step, x: Value) -> str:
    """Return `1 / (1 + expf(-x))`, each step rounded."""
    y = graph.add("Neg", x.numbers)
    y = graph.add("Where", graph.add("Greater", y, 88.69999694824219), 88.69999694824219, y)
    steps = graph.single(_exp(graph, y))
    return graph.single(graph.add("Div", 1.0, graph.single(graph.add("Add", steps, 1.0))))


def both(graph: Graph, step: Step, x: Value) -> str:
    """Return the probabilities of two classes."""
    return graph.single(graph.joined([graph.add("Sub", 1.0, x.numbers), x.numbers]))


def softmax(graph: Graph, step: Step, x: Value) -> str:
    """Return the shares of `expf`, added in float64 in the order of the classes."""
    top = graph.add("ReduceMax", x.numbers, np.array([1]), keepdims=1)
    parts = graph.single(_exp(graph, graph.single(graph.add("Sub", x.numbers, top))))
    whole = graph.single(graph.add("Unsqueeze", graph.last_sum(parts, step.width), np.array([1])))
    return graph.single(graph.add("Div", parts, whole))


def _exp(graph: Graph, x: str) -> str:
    """Return `expf` before its last rounding, by the operations of `ops.float32._exp`."""
    inside = graph.add("And", graph.add("Greater", x, -150.0), graph.add("LessOrEqual", x, LARGEST))
    z = graph.add("Mul", graph.add("Where", inside, x, 0.0), 1.4426950408889634 * 32.0)
    k = graph.add("Round", z)
    r = graph.add("Sub", z, k)
    low = graph.add("Add", graph.add("Mul", 0.05550361559341535 / 32768.0, r), 0.2402284522445722 / 1024.0)
    high = graph.add("Add", graph.add("Mul", LN2 / 32.0, r), 1.0)
    cubic = graph.add("Add", graph.add("Mul", low, graph.add("Mul", r, r)), high)
    quotient = graph.add("Floor", graph.add("Div", k, 32.0))
    place = graph.whole(graph.add("Sub", k, graph.add("Mul", quotient, 32.0)))
    steps = graph.add("Gather", np.array([2.0 ** (j / 32.0) for j in range(32)]), place, axis=0)
    power = graph.whole(graph.add("Sub", quotient, float(LEAST_POWER)))
    powers = graph.add("Gather", 2.0 ** np.arange(LEAST_POWER, 129, dtype=float), power, axis=0)
    value = graph.add("Mul", graph.add("Mul", cubic, steps), powers)
    beyond = graph.add("Where", graph.add("Greater", x, 0.0), np.inf, 0.0)
    beyond = graph.add("Where", graph.add("IsNaN", x), x, beyond)
    return graph.add("Where", inside, value, beyond)


NODES = {
    "rounded": rounded,
    "category": category,
    "sum": sum_,
    "exp": exp,
    "sigmoid": sigmoid,
    "both": both,
    "softmax": softmax,
}
