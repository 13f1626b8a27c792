"""C for `ops.float32`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.c.nodes.trees import added
from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def rounded(source: Source, step: Step, x: Value) -> str:
    """Round to float32, and put NaN for the values that mean missing."""
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {source.use('single')}({x.numbers}[i]);")
    for missing in step.node.items("missing", (int, float)):
        source.each(step.width, f"{y}[i] = {y}[i] == {number(float(np.float32(missing)))} ? NAN : {y}[i];")
    return y


def category(source: Source, step: Step, x: Value) -> str:
    """Cut categories to whole numbers; unknown ones become their column's limit."""
    limits = source.array([float(v) for v in step.node.items("limits", (int,), step.width)])
    y, v, limit = source.numbers(step.width), f"{x.numbers}[i]", f"{limits}[i]"
    known = f"{v} >= 0.0 && {v} < {limit} ? floor({v}) : {limit}"
    source.each(step.width, f"{y}[i] = {limit} == 0.0 || {v} != {v} ? {v} : {known};")
    return y


def sum_(source: Source, step: Step, x: Value) -> str:
    """Add the leaves in float32."""
    return added(source, step, x.numbers, "float")


def exp(source: Source, step: Step, x: Value) -> str:
    """Write `expf`."""
    return _each(source, step, f"{source.use('single')}({source.use('single_exp')}({x.numbers}[i]))")


def sigmoid(source: Source, step: Step, x: Value) -> str:
    """Write `1 / (1 + expf(-x))`, each step rounded."""
    limit = number(88.69999694824219)
    v = f"(-{x.numbers}[i] > {limit} ? {limit} : -{x.numbers}[i])"
    single = source.use("single")
    return _each(source, step, f"{single}(1.0 / {single}({single}({source.use('single_exp')}({v})) + 1.0))")


def both(source: Source, step: Step, x: Value) -> str:
    """Write the probabilities of two classes."""
    y, single = source.numbers(2), source.use("single")
    source.line(f"{y}[0] = {single}(1.0 - {x.numbers}[0]);")
    source.line(f"{y}[1] = {single}({x.numbers}[0]);")
    return y


def softmax(source: Source, step: Step, x: Value) -> str:
    """Write the shares of `expf`, added in order."""
    top = f"{source.use('max')}({x.numbers}, {step.width})"
    single = source.use("single")
    y = _each(source, step, f"{single}({source.use('single_exp')}({single}({x.numbers}[i] - {top})))")
    source.line(f"double {y}_whole = 0.0;")
    source.each(step.width, f"{y}_whole += {y}[i];")
    source.each(step.width, f"{y}[i] = {single}({y}[i] / {single}({y}_whole));")
    return y


def _each(source: Source, step: Step, expression: str) -> str:
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {expression};")
    return y


NODES = {
    "rounded": rounded,
    "category": category,
    "sum": sum_,
    "exp": exp,
    "sigmoid": sigmoid,
    "both": both,
    "softmax": softmax,
}
