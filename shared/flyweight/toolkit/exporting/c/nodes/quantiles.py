"""C for `ops.quantiles`."""

from __future__ import annotations

from flyweight.ops.quantiles import NEAR
from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def rank(source: Source, step: Step, x: Value) -> str:
    """Write the share of each value among its column's quantiles, or the normal number of that share."""
    references = step.node.floats("references", None)
    count, has_limits = len(references), step.node.has("limits")
    knots = source.array([v for row in step.node.rows("quantiles", step.width, count) for v in row])
    near = number(NEAR if has_limits else 0.0)
    y = source.numbers(step.width)
    call = f"{source.use('rank')}({x.numbers}[i], {knots} + {count} * i, {source.array(references)}, {count}, {near})"
    source.each(step.width, f"{y}[i] = {call};")
    if has_limits:
        low, high = map(number, step.node.floats("limits", 2))
        source.each(step.width, f"{y}[i] = {source.use('normal')}({y}[i]);")
        source.each(step.width, f"{y}[i] = {y}[i] < {low} ? {low} : {y}[i] > {high} ? {high} : {y}[i];")
    return y


NODES = {"rank": rank}
