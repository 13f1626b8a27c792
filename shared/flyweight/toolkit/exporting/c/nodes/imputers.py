"""C for `ops.imputers`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def merge(source: Source, step: Step, x: Value, filled: Value, predicted: Value) -> str:
    """Put the prediction, kept within limits, where the row has no number at the position."""
    position, y, v = step.node.whole("position", 0, step.width - 1), source.numbers(step.width), f"{predicted.numbers}[0]"
    low, high = map(number, step.node.floats("limits", 2))
    source.each(step.width, f"{y}[i] = {filled.numbers}[i];")
    own = f"{x.numbers}[{position}]"
    source.line(f"if ({own} != {own}) {y}[{position}] = {v} < {low} ? {low} : {v} > {high} ? {high} : {v};")
    return y


NODES = {"merge": merge}
