"""ONNX for `ops.pairwise`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.onnx.nodes.kernels import values_of
from flyweight.toolkit.exporting.planned import Step, Value


def kernel(graph: Graph, step: Step, x: Value) -> str:
    """Return the kernel's value at each point."""
    points = np.array(step.node.rows("points", None, len(x.kinds))).reshape(step.width, len(x.kinds))
    name, (gamma, coef0, degree) = step.op.kernel, step.node.floats("parameters", 3)
    if name == "laplacian":
        sizes = [graph.add("Abs", apart) for apart in _differences(graph, x.numbers, points)]
        return graph.add("Exp", graph.add("Mul", graph.add("Sum", *sizes), -gamma))
    if name in ("chi2", "additive_chi2"):
        apart = _chi2(graph, x.numbers, points)
        return graph.add("Exp", graph.add("Mul", apart, -gamma)) if name == "chi2" else graph.add("Neg", apart)
    return values_of(graph, x.numbers, points, name, [gamma, coef0], degree)


def _differences(graph: Graph, x: str, points: Array) -> list[str]:
    """Return what each column is away from that of each point."""
    return [graph.add("Sub", graph.columns(x, [column]), points[:, column][None]) for column in range(points.shape[1])]


def _chi2(graph: Graph, x: str, points: Array) -> str:
    """Add `(v - p)^2 / (v + p)` over the columns where that is not zero over zero; a number below zero is refused."""
    x = graph.refusing(x, graph.add("Not", graph.add("GreaterOrEqual", x, 0.0)))
    terms = []
    for column, apart in enumerate(_differences(graph, x, points)):
        both = graph.add("Add", graph.columns(x, [column]), points[:, column][None])
        share = graph.add("Div", graph.add("Mul", apart, apart), both)
        terms.append(graph.add("Where", graph.add("Equal", both, 0.0), 0.0, share))
    return graph.add("Sum", *terms)


def shares(graph: Graph, step: Step, x: Value) -> str:
    """Divide by the sum; NaN where that is zero."""
    whole = graph.sum(x.numbers)
    return graph.add("Where", graph.add("Equal", whole, 0.0), np.nan, graph.add("Div", x.numbers, whole))


NODES = {"kernel": kernel, "shares": shares}
