"""ONNX for `ops.outliers`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def sign(graph: Graph, step: Step, x: Value) -> str:
    """Return 1 or -1."""
    inclusive = step.node.choice("inclusive", (True, False))
    return graph.add("Where", graph.add("GreaterOrEqual" if inclusive else "Greater", x.numbers, 0.0), 1.0, -1.0)


def isolation(graph: Graph, step: Step, x: Value) -> str:
    """Return the score of a sum of depths."""
    depths, offset = step.node.floats("parameters", 2)
    share = graph.add("Pow", 2.0, graph.add("Neg", graph.add("Div", x.numbers, depths)))
    return graph.add("Sub", graph.add("Neg", share), offset)


def mahalanobis(graph: Graph, step: Step, x: Value) -> str:
    """Return the negative squared distance under a precision, less an offset."""
    width = len(x.kinds)
    apart = graph.add("Sub", x.numbers, np.array([step.node.floats("mean", width)]))
    products = graph.add("MatMul", apart, np.array(step.node.rows("precision", width, width)).T)
    distance = graph.sum(graph.add("Mul", apart, products))
    return graph.add("Sub", graph.add("Neg", distance), step.node.floats("offset", 1)[0])


NODES = {"sign": sign, "isolation": isolation, "mahalanobis": mahalanobis}
