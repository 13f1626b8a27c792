"""C for `ops.activations`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def relu(source: Source, step: Step, x: Value) -> str:
    """Write 0 for numbers below it."""
    return _each(source, step, f"{x.numbers}[i] < 0.0 ? 0.0 : {x.numbers}[i]")


def tanh(source: Source, step: Step, x: Value) -> str:
    """Write the hyperbolic tangent."""
    return _each(source, step, f"tanh({x.numbers}[i])")


def logistic(source: Source, step: Step, x: Value) -> str:
    """Write the logistic function."""
    return _each(source, step, f"1.0 / (1.0 + exp(-{x.numbers}[i]))")


def _each(source: Source, step: Step, expression: str) -> str:
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {expression};")
    return y


NODES = {"relu": relu, "tanh": tanh, "logistic": logistic}
