"""C for `ops.encode`: a column's value is looked for in its table, and an unknown one that the model refuses ends the call."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.encode import REFUSE
from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def ordinal(source: Source, step: Step, x: Value) -> str:
    """Write one code a column."""
    y = source.numbers(step.width)
    for column, codes in enumerate(_codes(source, step, x)):
        source.line(f"{y}[{column}] = {source.array([float(code) for code in codes])}[k{y}_{column}];")
    return _located(source, step, x, y)


def one_hot(source: Source, step: Step, x: Value) -> str:
    """Write 1.0 at the place of each column's code."""
    y, start = source.numbers(step.width), 0
    source.each(step.width, f"{y}[i] = 0.0;")
    for column, (codes, width) in enumerate(zip(_codes(source, step, x), step.node.positions("widths", 1 << 20), strict=True)):
        table = source.array([code + start if code >= 0 else -1 for code in map(int, codes)], "whole")
        source.line(f"if ({table}[k{y}_{column}] >= 0) {y}[{table}[k{y}_{column}]] = 1.0;")
        start += width
    return _located(source, step, x, y)


def rows(source: Source, step: Step, x: Value) -> str:
    """Copy one row of numbers a column."""
    widths, heights = (step.node.positions(name, 1 << 20) for name in ("widths", "heights"))
    sizes = [w * h for w, h in zip(widths, heights, strict=True)]
    flat, y, begin, start = step.node.floats("values", sum(sizes)), source.numbers(step.width), 0, 0
    for column, (codes, width, size) in enumerate(zip(_codes(source, step, x), widths, sizes, strict=True)):
        table = np.array(flat[begin : begin + size]).reshape(-1, width)[[int(code) for code in codes]]
        source.each(width, f"{y}[{start} + i] = {source.array(table.ravel().tolist())}[k{y}_{column} * {width} + i];")
        begin, start = begin + size, start + width
    return _located(source, step, x, y)


def _codes(source: Source, step: Step, x: Value) -> list[list[Any]]:
    """List for each column the codes of its categories, of an unseen and of a missing value; a refused one has some code."""
    codes, unseen, missing = (step.node.items(name, (list, int, float, str)) for name in ("codes", "unseen", "missing"))
    return [
        [*own, *[own[0] if own and code == REFUSE else 0 if code == REFUSE else code for code in others]]
        for own, *others in zip(codes, unseen, missing, strict=True)
    ]


def _located(source: Source, step: Step, x: Value, y: str) -> str:
    """Write, before the lines that read them, the places of the columns' values in their tables."""
    tables, unseen, missing = (step.node.items(name, (list, int, float, str)) for name in ("categories", "unseen", "missing"))
    lines = []
    for column, (known, other, absent) in enumerate(zip(tables, unseen, missing, strict=True)):
        is_text = x.kinds[column] == "s"
        # a category of the other kind is never met; it keeps its place
        own = [v if is_text else float(v) for v in known if isinstance(v, str) is is_text]
        if len(own) != len(known):
            raise step.refuse("a column has categories of texts and of numbers")
        table = source.array(own, "text" if is_text else "double")
        call = source.use("find_text" if is_text else "find_number")
        lines.append(
            f"int k{y}_{column} = {call}({x.strings if is_text else x.numbers}[{x.place(column)}], {table}, {len(own)});"
        )
        for place, code in ((len(own), other), (len(own) + 1, absent)):
            lines += [f"if (k{y}_{column} == {place}) return 1;"] if code == REFUSE else []
    at = next(place for place, line in enumerate(source.body) if line.startswith(f"double {y}["))
    source.body[at:at] = lines
    return y


NODES = {"ordinal": ordinal, "one_hot": one_hot, "rows": rows}
