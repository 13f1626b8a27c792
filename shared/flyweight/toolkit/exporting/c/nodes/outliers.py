"""C for `ops.outliers`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def sign(source: Source, step: Step, x: Value) -> str:
    """Write 1 or -1."""
    y = source.numbers(1)
    above = ">=" if step.node.choice("inclusive", (True, False)) else ">"
    source.line(f"{y}[0] = {x.numbers}[0] {above} 0.0 ? 1.0 : -1.0;")
    return y


def isolation(source: Source, step: Step, x: Value) -> str:
    """Write the score of a sum of depths."""
    depths, offset = map(number, step.node.floats("parameters", 2))
    y = source.numbers(1)
    source.line(f"{y}[0] = -pow(2.0, -({x.numbers}[0] / {depths})) - ({offset});")
    return y


NODES = {"sign": sign, "isolation": isolation}
