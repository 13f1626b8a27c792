"""ONNX for `ops.impute`; an empty string stands for a missing one, since ONNX's strings have no null."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.columns import taken
from flyweight.toolkit.exporting.planned import Step, Value


def fill(graph: Graph, step: Step, x: Value) -> Value:
    """Put the fill where a value is missing."""
    fills = step.node.items("fill", (int, float, str))
    flags = _flags(graph, step, x)
    filled = []
    for tensor, strings, flag in ((x.numbers, False, flags[0]), (x.strings, True, flags[1])):
        own = [v for v, kind in zip(fills, x.kinds, strict=True) if (kind == "s") is strings]
        row = np.array([own], dtype=object if strings else float)
        filled.append(graph.add("Where", flag, row, tensor) if flag else tensor)
    return Value(x.kinds, *filled)


def flag(graph: Graph, step: Step, x: Value) -> str:
    """Return 1.0 where a value is missing, in the order of the positions."""
    positions = step.node.positions("positions", len(x.kinds))
    picked = taken(graph, x, positions)
    numbers, strings = _flags(graph, step, picked)
    if not (numbers and strings):
        return graph.double(numbers or strings)
    both = graph.joined([graph.double(numbers), graph.double(strings)])
    count = len(picked.kinds) - picked.kinds.count("s")
    order = [picked.place(c) + (count if kind == "s" else 0) for c, kind in enumerate(picked.kinds)]
    return graph.columns(both, order)


def _flags(graph: Graph, step: Step, x: Value) -> tuple[str, str]:
    """Say where numbers and where strings are missing; "" for a kind that the value does not have."""
    nulls = step.node.items("nulls", (bool,), len(x.kinds))
    (missing,) = step.node.items("missing", (int, float, str, type(None)), 1)
    made = []
    for tensor, strings in ((x.numbers, False), (x.strings, True)):
        if not tensor or (strings not in [kind == "s" for kind in x.kinds]):
            made.append("")
            continue
        own = np.array([[null for null, kind in zip(nulls, x.kinds, strict=True) if (kind == "s") is strings]])
        absent = graph.add("Equal", tensor, _text("")) if strings else graph.add("IsNaN", tensor)
        absent = graph.add("And", absent, own & (graph.nulls or not strings))
        if missing is not None and isinstance(missing, str) is strings:
            marker: Any = _text(missing) if strings else float(missing)
            absent = graph.add("Or", absent, graph.add("Equal", tensor, marker))
        made.append(absent)
    return made[0], made[1]


def _text(text: str) -> Any:
    return np.array([text], dtype=object)


NODES = {"fill": fill, "flag": flag}
