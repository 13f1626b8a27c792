"""C for `ops.impute`; a missing number is NaN, a missing text NULL."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.exporting.c.nodes.columns import taken
from flyweight.toolkit.exporting.c.source import Source, number, text
from flyweight.toolkit.exporting.planned import Step, Value


def fill(source: Source, step: Step, x: Value) -> Value:
    """Put the fill where a value is missing."""
    fills = step.node.items("fill", (int, float, str))
    numbers = [float(v) for v in fills if not isinstance(v, str)]
    texts = [v for v in fills if isinstance(v, str)]
    made = []
    for values, own, strings in ((numbers, x.numbers, False), (texts, x.strings, True)):
        if not values:
            made.append(own)
            continue
        table = source.array(values, "text" if strings else "double")
        flags = _flags(source, step, x, strings)
        y = source.strings(len(values)) if strings else source.numbers(len(values))
        source.each(len(values), f"{y}[i] = {flags} ? {table}[i] : {own}[i];")
        made.append(y)
    return Value(x.kinds, *made)


def flag(source: Source, step: Step, x: Value) -> str:
    """Write 1.0 where a value is missing, in the order of the positions."""
    picked = taken(source, x, step.node.positions("positions", len(x.kinds)))
    y = source.numbers(step.width)
    for strings in (False, True):
        columns = [c for c, kind in enumerate(picked.kinds) if (kind == "s") is strings]
        if columns:
            to = source.array(columns, "whole")
            source.each(len(columns), f"{y}[{to}[i]] = {_flags(source, step, picked, strings)} ? 1.0 : 0.0;")
    return y


def _flags(source: Source, step: Step, x: Value, strings: bool) -> str:
    """Return the condition that the value at `i`, among those of one kind, is missing."""
    nulls = step.node.items("nulls", (bool,), len(x.kinds))
    (missing,) = step.node.items("missing", (int, float, str, type(None)), 1)
    own = [null for null, kind in zip(nulls, x.kinds, strict=True) if (kind == "s") is strings]
    v = f"{x.strings if strings else x.numbers}[i]"
    absent = f"{v} == NULL" if strings else f"{v} != {v}"
    if not all(own):
        absent = f"({absent} && {source.array(own, 'uint8_t')}[i])"
    return f"({absent}{_marked(v, missing, strings)})"


def _marked(v: str, missing: Any, strings: bool) -> str:
    if missing is None or isinstance(missing, str) is not strings:
        return ""
    return f" || ({v} != NULL && strcmp({v}, {text(missing)}) == 0)" if strings else f" || {v} == {number(float(missing))}"


NODES = {"fill": fill, "flag": flag}
