"""ONNX for `ops.labels`."""

from __future__ import annotations

from itertools import accumulate

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def argmax(graph: Graph, step: Step, x: Value) -> str:
    """Return the place of the largest column of each output, the first of equals."""
    widths = step.node.positions("widths", len(x.kinds) + 1)
    parts = []
    for end, width in zip(accumulate(widths), widths, strict=True):
        own = x.numbers if len(widths) == 1 else graph.columns(x.numbers, range(end - width, end))
        parts.append(graph.double(graph.add("ArgMax", own, axis=1, keepdims=1)))
    return graph.joined(parts)


def above(graph: Graph, step: Step, x: Value) -> str:
    """Return 1 where the score is above 0."""
    inclusive = step.node.choice("inclusive", (True, False))
    return graph.double(graph.add("GreaterOrEqual" if inclusive else "Greater", x.numbers, 0.0))


NODES = {"argmax": argmax, "above": above}
