"""ONNX for `ops.quantiles`."""

from __future__ import annotations

import numpy as np

from flyweight.ops.quantiles import EXP_MINUS_TWO, FAR_TAIL, MIDDLE, NEAR, ROOT_TWO_PI, TAIL
from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.onnx.nodes.interpolate import between
from flyweight.toolkit.exporting.onnx.nodes.scale import kept
from flyweight.toolkit.exporting.planned import Step, Value


def rank(graph: Graph, step: Step, x: Value) -> str:
    """Return the share of each value among its column's quantiles, or the normal number of that share."""
    references = np.array(step.node.floats("references", None))
    quantiles = np.array(step.node.rows("quantiles", step.width, len(references)))
    near = NEAR if step.node.has("limits") else 0.0
    shares = [_share(graph, graph.columns(x.numbers, [c]), knots, references, near) for c, knots in enumerate(quantiles)]
    y = graph.joined(shares)
    return kept(graph, normal(graph, y), *step.node.floats("limits", 2)) if near else y


def _share(graph: Graph, v: str, knots: Array, references: Array, near: float) -> str:
    """Return the mean of interpolating upwards and downwards; 0 and 1 at the ends, and near them."""
    up = between(graph, v, knots, references)
    down = between(graph, graph.add("Neg", v), -knots[::-1], -references[::-1])
    y = graph.add("Mul", graph.add("Sub", up, down), 0.5)
    first, last = float(knots[0]), float(knots[-1])
    above = graph.add("Or", graph.add("Greater", graph.add("Add", v, near), last), graph.add("GreaterOrEqual", v, last))
    below = graph.add("Or", graph.add("Less", graph.add("Sub", v, near), first), graph.add("LessOrEqual", v, first))
    return graph.add("Where", below, 0.0, graph.add("Where", above, 1.0, y))


def normal(graph: Graph, shares: str) -> str:
    """Return the number below which each share of a standard normal distribution lies."""
    upper = graph.add("Greater", shares, 1.0 - EXP_MINUS_TWO)
    y = graph.add("Where", upper, graph.add("Sub", 1.0, shares), shares)
    middle = graph.add("Sub", y, 0.5)
    square = graph.add("Mul", middle, middle)
    bent = graph.add("Mul", middle, graph.add("Mul", square, _ratio(graph, square, MIDDLE)))
    middle = graph.add("Mul", graph.add("Add", middle, bent), ROOT_TWO_PI)
    x = graph.add("Sqrt", graph.add("Mul", graph.add("Log", y), -2.0))
    z = graph.add("Div", 1.0, x)
    ratio = graph.add("Where", graph.add("Less", x, 8.0), _ratio(graph, z, TAIL), _ratio(graph, z, FAR_TAIL))
    x = graph.add("Sub", graph.add("Sub", x, graph.add("Div", graph.add("Log", x), x)), graph.add("Mul", z, ratio))
    tail = graph.add("Where", upper, x, graph.add("Neg", x))
    numbers = graph.add("Where", graph.add("Greater", y, EXP_MINUS_TWO), middle, tail)
    numbers = graph.add("Where", graph.add("Equal", shares, 0.0), -np.inf, numbers)
    return graph.add("Where", graph.add("Equal", shares, 1.0), np.inf, numbers)


def _ratio(graph: Graph, x: str, parts: tuple[tuple[float, ...], tuple[float, ...]]) -> str:
    """Return the ratio of two polynomials, their highest powers first."""
    made = []
    for first, *others in parts:
        y = graph.add("Add", graph.add("Mul", x, first), others[0])
        for coefficient in others[1:]:
            y = graph.add("Add", graph.add("Mul", y, x), coefficient)
        made.append(y)
    return graph.add("Div", *made)


NODES = {"rank": rank}
