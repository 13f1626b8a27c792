"""ONNX for `ops.interpolate`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.onnx.nodes.bins import below
from flyweight.toolkit.exporting.planned import Step, Value


def knots(graph: Graph, step: Step, x: Value) -> str:
    """Return the value on each column's line between its knots."""
    xs = step.node.floats("xs", None)
    ys = step.node.floats("ys", len(xs))
    starts = step.node.indices("starts", len(xs) + 1, step.width + 1)
    outside = step.node.choice("outside", ("clip", "nan", "refuse"))
    spans = [*pairwise(starts)]
    parts = [_column(graph, x.numbers, c, np.array(xs[a:b]), np.array(ys[a:b]), outside) for c, (a, b) in enumerate(spans)]
    return graph.joined(parts)


def _column(graph: Graph, x: str, column: int, xs: Array, ys: Array, outside: str) -> str:
    v = graph.columns(x, [column])
    y = between(graph, v, xs, ys)
    if outside == "clip" or len(xs) == 1:
        return y
    beyond = graph.add("Or", graph.add("Less", v, float(xs[0])), graph.add("Greater", v, float(xs[-1])))
    return graph.refusing(y, beyond) if outside == "refuse" else graph.add("Where", beyond, np.nan, y)


def between(graph: Graph, v: str, xs: Array, ys: Array) -> str:
    """Return the value on the lines between knots, of shape (rows, 1), as `np.interp` does; beyond them the nearest knot's."""
    count = graph.whole(below(graph, v, 0, xs.tolist()))  # 0 is before the first knot
    with np.errstate(all="ignore"):
        slopes = np.concatenate([[0.0], np.diff(ys) / np.diff(xs), [0.0]])
    begins, values = np.append(xs[:1], xs), np.append(ys[:1], ys)
    slope, begin, value = (graph.add("Gather", table, count, axis=0) for table in (slopes, begins, values))
    y = graph.add("Add", graph.add("Mul", slope, graph.add("Sub", v, begin)), value)
    y = graph.add("Where", graph.add("Equal", slope, 0.0), value, y)
    return graph.add("Where", graph.add("IsNaN", v), np.nan, y)


NODES = {"knots": knots}
