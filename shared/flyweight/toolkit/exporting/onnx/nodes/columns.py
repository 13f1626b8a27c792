"""ONNX for `ops.columns`."""

from __future__ import annotations

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def take(graph: Graph, step: Step, x: Value) -> Value:
    """Gather the columns of each kind."""
    return taken(graph, x, step.node.positions("positions", len(x.kinds)))


def taken(graph: Graph, x: Value, positions: list[int]) -> Value:
    """Return the columns at some positions."""
    kinds = "".join([x.kinds[position] for position in positions])
    strings = [x.place(position) for position in positions if x.kinds[position] == "s"]
    numbers = [x.place(position) for position in positions if x.kinds[position] != "s"]
    return Value(
        kinds,
        graph.columns(x.numbers, numbers) if x.numbers and (numbers or not strings) else "",
        graph.columns(x.strings, strings) if strings else "",
    )


def join(graph: Graph, step: Step, *inputs: Value) -> Value:
    """Join the columns of each kind."""
    numbers, strings = [v.numbers for v in inputs if v.numbers], [v.strings for v in inputs if v.strings]
    kinds = "".join([v.kinds for v in inputs])
    return Value(kinds, graph.joined(numbers) if numbers else "", graph.joined(strings) if strings else "")


NODES = {"take": take, "join": join}
