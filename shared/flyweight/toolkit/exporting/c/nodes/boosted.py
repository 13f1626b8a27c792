"""C for `ops.boosted`."""

from __future__ import annotations

from flyweight.ops.boosted import NEAR_ZERO
from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def zero_is_missing(source: Source, step: Step, x: Value) -> str:
    """Put NaN in place of zeros."""
    return _changed(source, step, x, f"fabs(v) <= {number(NEAR_ZERO)} ? NAN : v")


def whole(source: Source, step: Step, x: Value) -> str:
    """Cut categories toward zero; others become NaN."""
    return _changed(source, step, x, "v > -1.0 && v < 2147483648.0 ? trunc(v) + 0.0 : NAN")


def _changed(source: Source, step: Step, x: Value, expression: str) -> str:
    """Change the columns at the positions by an expression in `v`."""
    positions = step.node.positions("positions", step.width)
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = {x.numbers}[i];")
    if positions:
        at = source.array(positions, "whole")
        source.each(len(positions), f"{{ double v = {x.numbers}[{at}[i]]; {y}[{at}[i]] = {expression}; }}")
    return y


def signed_square(source: Source, step: Step, x: Value) -> str:
    """Multiply each number by its size."""
    y = source.numbers(step.width)
    source.each(step.width, f"{y}[i] = fabs({x.numbers}[i]) * {x.numbers}[i];")
    return y


NODES = {"zero_is_missing": zero_is_missing, "whole": whole, "signed_square": signed_square}
