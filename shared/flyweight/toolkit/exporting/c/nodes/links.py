"""C for `ops.links`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def sigmoid(source: Source, step: Step, x: Value) -> str:
    """Write the probabilities of two classes."""
    factor = step.node.choice("factor", (1, 2))
    y = source.numbers(2)
    source.line(f"{y}[1] = 1.0 / (1.0 + exp(-{factor}.0 * {x.numbers}[0]));")
    source.line(f"{y}[0] = 1.0 - {y}[1];")
    return y


def softmax(source: Source, step: Step, x: Value) -> str:
    """Write `exp` over its sum, shifted by the largest score."""
    y = source.numbers(step.width)
    source.line(f"double {y}_top = {source.use('max')}({x.numbers}, {step.width});")
    source.each(step.width, f"{y}[i] = exp({x.numbers}[i] - {y}_top);")
    source.line(f"double {y}_whole = {source.use('sum')}({y}, {step.width});")
    source.each(step.width, f"{y}[i] = {y}[i] / {y}_whole;")
    return y


def one_vs_rest(source: Source, step: Step, x: Value) -> str:
    """Write each score's sigmoid, over their sum."""
    parts = source.numbers(step.width)
    source.each(step.width, f"{parts}[i] = 1.0 / (1.0 + exp(-{x.numbers}[i]));")
    return _shares(source, parts, step.width)


def modified_huber(source: Source, step: Step, x: Value) -> str:
    """Write `(clip(score, -1, 1) + 1) / 2`."""
    width, v = len(x.kinds), f"{x.numbers}[i]"
    parts = source.numbers(width)
    source.each(width, f"{parts}[i] = (({v} < -1.0 ? -1.0 : {v} > 1.0 ? 1.0 : {v}) + 1.0) / 2.0;")
    if width > 1:
        return _shares(source, parts, width)
    y = source.numbers(2)
    source.line(f"{y}[0] = 1.0 - {parts}[0]; {y}[1] = {parts}[0];")
    return y


def _shares(source: Source, parts: str, width: int) -> str:
    y = source.numbers(width)
    source.line(f"{source.use('shares')}({parts}, {y}, {width});")
    return y


def exp(source: Source, step: Step, x: Value) -> str:
    """Write `exp(score)`."""
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = exp({x.numbers}[i]);")
    return y


NODES = {
    "sigmoid": sigmoid,
    "softmax": softmax,
    "one_vs_rest": one_vs_rest,
    "modified_huber": modified_huber,
    "exp": exp,
}
