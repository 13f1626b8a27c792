"""C for `ops.scale`: the same arithmetic in the same order."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def center(source: Source, step: Step, x: Value) -> str:
    """Subtract, then divide."""
    own = f"{x.numbers}[i]"
    if step.node.has("subtract"):
        own = f"({own} - {source.array(step.node.floats('subtract', step.width))}[i])"
    if step.node.has("divide"):
        own = f"{own} / {source.array(step.node.floats('divide', step.width))}[i]"
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {own};")
    return y


def stretch(source: Source, step: Step, x: Value) -> str:
    """Multiply, add, and keep within the limits."""
    multiply, add = (source.array(step.node.floats(name, step.width)) for name in ("multiply", "add"))
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {x.numbers}[i] * {multiply}[i] + {add}[i];")
    if step.node.has("limits"):
        limits = source.array(step.node.floats("limits", 2))
        _keep(source, y, step.width, f"{limits}[0]", f"{limits}[1]")
    return y


def clip(source: Source, step: Step, x: Value) -> str:
    """Keep each column within its limits."""
    low, high = (source.array(step.node.floats(name, step.width)) for name in ("low", "high"))
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {x.numbers}[i];")
    _keep(source, y, step.width, f"{low}[i]", f"{high}[i]")
    return y


def _keep(source: Source, y: str, width: int, low: str, high: str) -> None:
    source.each(width, f"{y}[i] = {y}[i] < {low} ? {low} : {y}[i] > {high} ? {high} : {y}[i];")


def normalize(source: Source, step: Step, x: Value) -> str:
    """Divide by the norm, if that is not tiny."""
    norm, width = step.node.choice("norm", ("l1", "l2", "max")), step.width
    y = source.numbers(width)
    if norm == "l2":
        source.line(f"double {y}_norm = sqrt({source.use('dot')}({x.numbers}, {x.numbers}, {width}));")
    else:
        source.each(width, f"{y}[i] = fabs({x.numbers}[i]);")
        source.line(f"double {y}_norm = {source.use('sum' if norm == 'l1' else 'max')}({y}, {width});")
    source.each(width, f"{y}[i] = {y}_norm < 10 * 0x1p-52 ? {x.numbers}[i] : {x.numbers}[i] / {y}_norm;")
    return y


NODES = {"center": center, "stretch": stretch, "clip": clip, "normalize": normalize}
