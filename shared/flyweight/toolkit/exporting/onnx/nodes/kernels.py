"""ONNX for `ops.kernels`."""

from __future__ import annotations

from itertools import accumulate, combinations, pairwise

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.planned import Step, Value

WIDE = 256  # features, from which on distances are computed for all features at once, which takes more memory


def machine(graph: Graph, step: Step, x: Value) -> str:
    """Weigh the kernel's values of all vectors, and add the intercepts."""
    node = step.node
    rows, count = node.array("weights", "F64", (None, None)).shape
    vectors = np.array(node.rows("vectors", count, len(x.kinds))).reshape(count, len(x.kinds))
    kernel = node.choice("kernel", ("linear", "poly", "rbf", "sigmoid"))
    values = values_of(graph, x.numbers, vectors, kernel, node.floats("parameters", 2), node.whole("degree", 0, 1000))
    weights = np.array(node.rows("weights", rows, count)).reshape(rows, count)
    if node.has("counts"):
        starts = [*accumulate(node.indices("counts", count + 1, rows + 1), initial=0)]
        weights = _of_pairs(weights, [*pairwise(starts)])
    return graph.add("Add", graph.add("MatMul", values, weights.T), np.array([node.floats("intercept", step.width)]))


def values_of(graph: Graph, x: str, vectors: Array, kernel: str, parameters: list[float], degree: float) -> str:
    """Return the kernel's value of each vector, of shape (rows, vectors)."""
    gamma, coef0 = parameters
    if kernel == "rbf":
        return graph.add("Exp", graph.add("Mul", squares(graph, x, vectors), -gamma))
    products = graph.add("MatMul", x, vectors.T)
    if kernel == "linear":
        return products
    shifted = graph.add("Add", graph.add("Mul", products, gamma), coef0)
    return graph.add("Tanh", shifted) if kernel == "sigmoid" else graph.add("Pow", shifted, float(degree))


def squares(graph: Graph, x: str, vectors: Array) -> str:
    """Return the squared distance to each vector, as a sum of squares of differences."""
    if vectors.shape[1] > WIDE:
        apart = graph.add("Sub", graph.add("Unsqueeze", x, np.array([1])), vectors[None])
        return graph.add("ReduceSum", graph.add("Mul", apart, apart), np.array([2]), keepdims=0)
    parts = []
    for column in range(vectors.shape[1]):
        apart = graph.add("Sub", graph.columns(x, [column]), vectors[:, column][None])
        parts.append(graph.add("Mul", apart, apart))
    return graph.add("Sum", *parts)


def _of_pairs(weights: Array, spans: list[tuple[int, int]]) -> Array:
    """Return the weights of all vectors for each pair of classes."""
    wide = np.zeros((len(spans) * (len(spans) - 1) // 2, weights.shape[1]))
    for row, (i, j) in zip(wide, combinations(range(len(spans)), 2), strict=True):
        row[slice(*spans[i])] = weights[j - 1][slice(*spans[i])]
        row[slice(*spans[j])] = weights[i][slice(*spans[j])]
    return wide


def votes(graph: Graph, step: Step, x: Value) -> str:
    """Return the class that wins most pairs."""
    won = _won(graph, step, graph.add("Greater", x.numbers, 0.0))
    return graph.double(graph.add("ArgMax", won, axis=1, keepdims=1))


def scores(graph: Graph, step: Step, x: Value) -> str:
    """Return the votes, plus the squeezed sums of the decision values."""
    won = _won(graph, step, graph.add("Not", graph.add("Less", x.numbers, 0.0)))
    first, second = of_pairs(step.width)
    return squeezed(graph, won, graph.add("MatMul", x.numbers, first - second))


def squeezed(graph: Graph, won: str, sums: str) -> str:
    """Add sums to votes, squeezed into a third of a vote either way."""
    return graph.add("Add", won, graph.add("Div", sums, graph.add("Mul", graph.add("Add", graph.add("Abs", sums), 1.0), 3.0)))


def _won(graph: Graph, step: Step, wins: str) -> str:
    """Count the pairs that each class wins; `wins` is true where a pair's first class does."""
    first, second = of_pairs(step.node.whole("classes", 2, 1000))
    lost = graph.double(graph.add("Not", wins))
    return graph.add("Add", graph.add("MatMul", graph.double(wins), first), graph.add("MatMul", lost, second))


def of_pairs(classes: int) -> tuple[Array, Array]:
    """Return the first and the second class of each pair, as rows of zeros with a one."""
    pairs = [*combinations(range(classes), 2)]
    return np.eye(classes)[[i for i, _ in pairs]], np.eye(classes)[[j for _, j in pairs]]


NODES = {"machine": machine, "votes": votes, "scores": scores}
