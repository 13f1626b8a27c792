"""ONNX for `ops.encode`: categories are looked up by LabelEncoder, and what the model refuses is looked up out of range."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import numpy_helper

from flyweight.ops.encode import REFUSE
from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.planned import Step, Value


def ordinal(graph: Graph, step: Step, x: Value) -> str:
    """Look up one code a column."""
    tables = [np.array([float(code) for code in codes]) for _, codes in _columns(step)]
    places = _places(graph, step, x)
    parts = [graph.add("Gather", table, place, axis=0) for table, place in zip(tables, places, strict=True)]
    return graph.joined(parts)


def one_hot(graph: Graph, step: Step, x: Value) -> str:
    """Compare each column's code with the places of its block."""
    widths = step.node.positions("widths", 1 << 20)
    parts = []
    for (_, codes), place, width in zip(_columns(step), _places(graph, step, x), widths, strict=True):
        code = graph.add("Gather", np.array([int(c) for c in codes], dtype=np.int64), place, axis=0)
        parts.append(graph.double(graph.add("Equal", code, np.arange(width)[None, :])))
    return graph.joined(parts)


def rows(graph: Graph, step: Step, x: Value) -> str:
    """Look up one row of numbers a column."""
    widths, heights = (step.node.positions(name, 1 << 20) for name in ("widths", "heights"))
    sizes = [w * h for w, h in zip(widths, heights, strict=True)]
    flat, start, parts = step.node.floats("values", sum(sizes)), 0, []
    for (_, codes), place, width, size in zip(_columns(step), _places(graph, step, x), widths, sizes, strict=True):
        table = np.array(flat[start : start + size]).reshape(-1, width)[[int(code) for code in codes]]
        taken = graph.add("Gather", table, place, axis=0)
        parts.append(graph.add("Reshape", taken, np.array([-1, width])))
        start += size
    return graph.joined(parts)


def _columns(step: Step) -> list[tuple[list[Any], list[Any]]]:
    """List for each column its categories, and its codes: those of the categories, of an unseen and of a missing value.

    A code "refuse" is left out at the end, so that its place lies beyond the table.
    """
    names = ("categories", "codes", "unseen", "missing")
    lists = [step.node.items(name, (list, int, float, str)) for name in names]
    return [(seen, [*codes, *[code for code in others if code != REFUSE]]) for seen, codes, *others in zip(*lists, strict=True)]


def _places(graph: Graph, step: Step, x: Value) -> list[str]:
    """Look up the place of each column's value among its codes, as tensors of shape (rows, 1)."""
    unseen, missing = (step.node.items(name, (int, float, str)) for name in ("unseen", "missing"))
    places = []
    for column, (seen, codes) in enumerate(_columns(step)):
        last, refused = len(seen), len(codes)
        other = refused if unseen[column] == REFUSE else last
        absent = refused if missing[column] == REFUSE else last + (unseen[column] != REFUSE)
        kind = x.kinds[column]
        tensor = graph.columns(x.strings if kind == "s" else x.numbers, [x.place(column)])
        table = {category: place for place, category in enumerate(seen) if isinstance(category, str) is (kind == "s")}
        if kind == "s" and graph.nulls:
            if "" in table and table[""] != absent:
                raise step.refuse("it knows the empty text as a category, which stands for a missing text in ONNX")
            table[""] = absent
        places.append(_lookup(graph, tensor, table, other, absent, kind == "s"))
    return places


def _lookup(graph: Graph, tensor: str, table: dict[Any, int], other: int, absent: int, strings: bool) -> str:
    """Look up whole numbers by text or by number; a missing number is NaN."""
    if strings:
        if not table:
            table = {"": other}
        keys: Array = np.array([*table], dtype=object)
    else:
        tensor = graph.add("Add", tensor, 0.0)  # so that -0.0 is 0.0
        keys = np.array([*map(float, table), np.nan])
        table = {**table, None: absent}
    return graph.add(
        "LabelEncoder",
        tensor,
        domain="ai.onnx.ml",
        keys_tensor=numpy_helper.from_array(keys, "keys"),
        values_tensor=numpy_helper.from_array(np.array([*table.values()], dtype=np.int64), "values"),
        default_tensor=numpy_helper.from_array(np.array([other], dtype=np.int64), "default"),
    )


NODES = {"ordinal": ordinal, "one_hot": one_hot, "rows": rows}
