"""ONNX for `ops.boosted`."""

from __future__ import annotations

import numpy as np

from flyweight.ops.boosted import NEAR_ZERO
from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.planned import Step, Value


def zero_is_missing(graph: Graph, step: Step, x: Value) -> str:
    """Put NaN in place of zeros."""
    near = graph.add("LessOrEqual", graph.add("Abs", x.numbers), NEAR_ZERO)
    return graph.add("Where", graph.add("And", near, _some(step)), np.nan, x.numbers)


def whole(graph: Graph, step: Step, x: Value) -> str:
    """Cut categories toward zero; others become NaN."""
    inside = graph.add("And", graph.add("Greater", x.numbers, -1.0), graph.add("Less", x.numbers, 2147483648.0))
    kept = graph.double(graph.whole(graph.add("Where", inside, x.numbers, 0.0)))
    return graph.add("Where", _some(step), graph.add("Where", inside, kept, np.nan), x.numbers)


def signed_square(graph: Graph, step: Step, x: Value) -> str:
    """Multiply each number by its size."""
    return graph.add("Mul", graph.add("Abs", x.numbers), x.numbers)


def _some(step: Step) -> Array:
    """Return one flag a column: whether it is among the positions."""
    flags = np.zeros((1, step.width), dtype=bool)
    flags[0, step.node.positions("positions", step.width)] = True
    return flags


NODES = {"zero_is_missing": zero_is_missing, "whole": whole, "signed_square": signed_square}
