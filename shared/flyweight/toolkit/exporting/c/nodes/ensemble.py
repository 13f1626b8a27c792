"""C for `ops.ensemble`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def mean(source: Source, step: Step, *inputs: Value) -> str:
    """Add the weighted inputs one by one, and divide."""
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = 0.0;")
    for weight, x in zip(step.op.weights, inputs, strict=True):
        source.each(step.width, f"{y}[i] = {y}[i] + {x.numbers}[i] * {number(weight)};")
    source.each(step.width, f"{y}[i] = {y}[i] / {number(step.op.divide)};")
    return y


def scatter(source: Source, step: Step, x: Value) -> str:
    """Put the columns at their positions of a row of zeros."""
    y, at = source.numbers(step.width), source.array(step.node.positions("positions", step.width), "whole")
    source.each(step.width, f"{y}[i] = 0.0;")
    source.each(len(x.kinds), f"{y}[{at}[i]] = {x.numbers}[i];")
    return y


def vote(source: Source, step: Step, x: Value) -> str:
    """Add what each column gives to its class, and to the others."""
    y, width = source.numbers(step.width), len(x.kinds)
    given = source.array(step.node.floats("for", width))
    source.each(step.width, f"{y}[i] = 0.0;")
    v = f"{x.numbers}[i]"
    own = f"if ({v} >= 0.0 && {v} < {step.width}.0) {y}[(int){v}] += {given}[i];"
    against = step.node.floats("against", width) if step.node.has("against") else [0.0] * width
    if any(against):
        others = source.array(against)
        each = f"for (int c = 0; c < {step.width}; c++) {y}[c] += {v} == c ? {given}[i] : {others}[i];"
        own = f"{{ if ({others}[i] != 0.0) {each} else {own} }}"
    source.each(width, own)
    return y


def median(source: Source, step: Step, x: Value) -> str:
    """Write the first of the sorted columns at which half of all weights is reached."""
    y, width = source.numbers(1), len(x.kinds)
    weights = source.array(step.node.floats("weights", width))
    order = f"{y}_order"
    source.line(f"int {order}[{width}];")
    sift = f"for (; j > 0 && {x.numbers}[{order}[j - 1]] > {x.numbers}[i]; j--) {order}[j] = {order}[j - 1];"
    source.each(width, f"{{ int j = i; {sift} {order}[j] = i; }}")
    source.line(f"double {y}_whole = 0.0, {y}_below = 0.0;")
    source.each(width, f"{y}_whole += {weights}[{order}[i]];")
    source.line(f"for (int i = 0; i < {width}; i++) {{")
    source.line(f"    {y}[0] = {x.numbers}[{order}[i]];")
    source.line(f"    {y}_below += {weights}[{order}[i]];")
    source.line(f"    if ({y}_below >= 0.5 * {y}_whole) break;")
    source.line("}")
    return y


def shares(source: Source, step: Step, x: Value) -> str:
    """Divide by the sum, if that is not zero."""
    y = source.numbers(step.width)
    source.line(f"double {y}_whole = {source.use('sum')}({x.numbers}, {step.width});")
    rest = f"1.0 / {step.width}" if step.node.choice("uniform", (True, False)) else f"{x.numbers}[i]"
    source.each(step.width, f"{y}[i] = {y}_whole != 0.0 ? {x.numbers}[i] / {y}_whole : {rest};")
    return y


NODES = {"mean": mean, "vote": vote, "median": median, "scatter": scatter, "shares": shares}
