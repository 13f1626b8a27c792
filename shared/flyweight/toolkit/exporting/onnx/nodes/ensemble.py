"""ONNX for `ops.ensemble`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.kernels import of_pairs, squeezed
from flyweight.toolkit.exporting.planned import Step, Value


def mean(graph: Graph, step: Step, *inputs: Value) -> str:
    """Add the weighted inputs one by one, and divide."""
    y = ""
    for weight, x in zip(step.op.weights, inputs, strict=True):
        term = x.numbers if weight == 1.0 else graph.add("Mul", x.numbers, weight)
        y = graph.add("Add", y, term) if y else graph.add("Add", 0.0, term)
    return graph.add("Div", y, step.op.divide)


def vote(graph: Graph, step: Step, x: Value) -> str:
    """Add what each column gives to its class, and to the others."""
    width, classes = len(x.kinds), np.arange(step.width, dtype=float)[None]
    votes = step.node.floats("for", width)
    against = step.node.floats("against", width) if step.node.has("against") else [0.0] * width
    y = ""
    for column, (given, taken) in enumerate(zip(votes, against, strict=True)):
        position = graph.columns(x.numbers, [column])
        if not taken:
            position = graph.add("Where", graph.add("GreaterOrEqual", position, 0.0), graph.add("Floor", position), -1.0)
        term = graph.add("Where", graph.add("Equal", position, classes), given, taken)
        y = graph.add("Add", y, term) if y else graph.add("Add", 0.0, term)
    return y


def median(graph: Graph, step: Step, x: Value) -> str:
    """Return the first of the sorted columns at which half of all weights is reached."""
    width = len(x.kinds)
    ordered, order = graph.several("TopK", 2, x.numbers, np.array([width]), axis=1, largest=0, sorted=1)
    below = graph.add("CumSum", graph.add("Gather", np.array(step.node.floats("weights", width)), order, axis=0), np.array(1))
    half = graph.add("Mul", graph.columns(below, [width - 1]), 0.5)
    reached = graph.whole(graph.add("GreaterOrEqual", below, half))
    return graph.add("GatherElements", ordered, graph.add("ArgMax", reached, axis=1, keepdims=1), axis=1)


def scatter(graph: Graph, step: Step, x: Value) -> str:
    """Put the columns at their positions of a row of zeros."""
    positions = step.node.positions("positions", step.width)
    spread = np.zeros((len(positions), step.width))
    spread[np.arange(len(positions)), positions] = 1.0
    return graph.add("MatMul", x.numbers, spread)


def recode(graph: Graph, step: Step, x: Value) -> str:
    """Look up the code at the position."""
    codes = [*step.node.floats("codes", None), np.nan]
    known = graph.add("And", graph.add("GreaterOrEqual", x.numbers, 0.0), graph.add("Less", x.numbers, float(len(codes) - 1)))
    place = graph.whole(graph.add("Where", known, x.numbers, float(len(codes) - 1)))
    return graph.add("Gather", np.array(codes), place, axis=0)


def shares(graph: Graph, step: Step, x: Value) -> str:
    """Divide by the sum, if that is not zero."""
    whole = graph.sum(x.numbers)
    rest = 1.0 / step.width if step.node.choice("uniform", (True, False)) else x.numbers
    return graph.add("Where", graph.add("Equal", whole, 0.0), rest, graph.add("Div", x.numbers, whole))


def one_vs_one(graph: Graph, step: Step, winners: Value, confidences: Value) -> str:
    """Count the pairs that each class wins, and add the squeezed confidences."""
    first, second = of_pairs(step.width)
    wins = graph.double(graph.add("Equal", winners.numbers, 1.0))
    lost = graph.add("Sub", 1.0, wins)
    won = graph.add("Add", graph.add("MatMul", wins, second), graph.add("MatMul", lost, first))
    return squeezed(graph, won, graph.add("MatMul", confidences.numbers, second - first))


def nearest(graph: Graph, step: Step, x: Value) -> str:
    """Return the place of the nearest code."""
    codes = np.array(step.node.rows("codes", None, len(x.kinds)))
    apart = graph.add("Sub", (codes * codes).sum(axis=1)[None], graph.add("MatMul", x.numbers, 2.0 * codes.T))
    return graph.double(graph.add("ArgMin", apart, axis=1, keepdims=1))


NODES = {
    "mean": mean,
    "vote": vote,
    "median": median,
    "scatter": scatter,
    "recode": recode,
    "shares": shares,
    "one_vs_one": one_vs_one,
    "nearest": nearest,
}
