"""ONNX for `ops.imputers`."""

from __future__ import annotations

from sys import float_info

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.onnx.nodes.scale import kept
from flyweight.toolkit.exporting.planned import Step, Value


def nearest(graph: Graph, step: Step, x: Value) -> str:
    """Fill a missing value with its column's mean over the nearest training rows that have one.

    Of rows at the same distance TopK takes the first, as the op does (https://onnx.ai/onnx/operators/onnx__TopK.html).
    """
    width = len(x.kinds)
    points = np.array(step.node.rows("points", None, width)).reshape(-1, width)
    count, means = min(step.node.whole("k", 1, 1_000_000), len(points)), step.node.floats("means", width)
    if not len(points):
        return graph.add("Where", graph.add("IsNaN", x.numbers), np.array([means]), x.numbers)
    apart = _apart(graph, x.numbers, points)
    filled = [_filled(graph, apart, points[:, column], count, means[column]) for column in range(width)]
    return graph.add("Where", graph.add("IsNaN", x.numbers), graph.joined(filled), x.numbers)


def _apart(graph: Graph, x: str, points: Array) -> str:
    """Return the squared distance to each point over the columns that both have, scaled to all; infinite without such a column.

    Distances that overflow are the largest number, below those.
    """
    terms, common = [], []
    for column in range(points.shape[1]):
        apart = graph.add("Sub", graph.columns(x, [column]), points[:, column][None])
        missing = graph.add("IsNaN", apart)
        terms.append(graph.add("Where", missing, 0.0, graph.add("Mul", apart, apart)))
        common.append(graph.double(graph.add("Not", missing)))
    shared = graph.add("Sum", *common)
    scaled = graph.add("Div", graph.add("Mul", graph.rounded_sum(terms), float(points.shape[1])), shared)
    return graph.add("Where", graph.add("Equal", shared, 0.0), np.inf, graph.add("Min", scaled, float_info.max))


def _filled(graph: Graph, apart: str, values: Array, count: int, mean: float) -> str:
    """Return the mean of a column's values at the nearest points that have one, of shape (rows, 1)."""
    if np.isnan(values).any():
        apart = graph.add("Where", np.isnan(values)[None], np.inf, apart)
    distances, near = graph.several("TopK", 2, apart, np.array([count]), axis=1, largest=0, sorted=1)
    given = graph.add("Not", graph.add("IsInf", distances))
    terms = graph.add("Where", given, graph.add("Gather", values, near, axis=0), 0.0)
    whole = graph.rounded_sum([graph.columns(terms, [place]) for place in range(count)])
    donors = graph.sum(graph.double(given))
    return graph.add("Where", graph.add("Equal", donors, 0.0), mean, graph.add("Div", whole, donors))


def merge(graph: Graph, step: Step, x: Value, filled: Value, predicted: Value) -> str:
    """Put the prediction, kept within limits, where the row has no number at the position."""
    position = step.node.whole("position", 0, len(x.kinds) - 1)
    low, high = step.node.floats("limits", 2)
    own = graph.add("IsNaN", graph.columns(x.numbers, [position]))
    return graph.add(
        "Where",
        graph.add("And", own, (np.arange(len(x.kinds)) == position)[None]),
        kept(graph, predicted.numbers, low, high),
        filled.numbers,
    )


NODES = {"nearest": nearest, "merge": merge}
