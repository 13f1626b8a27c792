"""C for `ops.kernels`."""

from __future__ import annotations

from itertools import combinations

from flyweight.toolkit.exporting.c.source import Source, number
from flyweight.toolkit.exporting.planned import Step, Value


def machine(source: Source, step: Step, x: Value) -> str:
    """Weigh the kernel's values of all vectors, and add the intercepts."""
    values = _values(source, step, x)
    intercepts = step.node.floats("intercept", step.width)
    y = source.numbers(step.width)
    for place, (spans, intercept) in enumerate(zip(step.op.pairs, intercepts, strict=True)):
        parts = [
            f"{source.use('dot')}({source.array(weights)}, {values} + {begin}, {end - begin})" for begin, end, weights in spans
        ]
        source.line(f"{y}[{place}] = {' + '.join([*parts, number(intercept)])};")
    return y


def _values(source: Source, step: Step, x: Value) -> str:
    """Write the kernel's value of each vector."""
    kernel, width, count = step.op.kernel, len(x.kinds), step.op.count
    gamma, coef0 = map(number, step.node.floats("parameters", 2))
    vectors = source.array([v for row in step.node.rows("vectors", count, width) for v in row])
    y = source.numbers(count)
    if kernel == "rbf":
        apart = f"{source.use('square')}({vectors} + {width} * i, {x.numbers}, {width})"
        source.each(count, f"{y}[i] = exp(-{gamma} * {apart});")
        return y
    product = f"{source.use('dot')}({vectors} + {width} * i, {x.numbers}, {width})"
    shifted = f"{gamma} * {product} + {coef0}"
    formulas = {"linear": product, "sigmoid": f"tanh({shifted})", "poly": f"pow({shifted}, {number(float(step.op.degree))})"}
    source.each(count, f"{y}[i] = {formulas[kernel]};")
    return y


def votes(source: Source, step: Step, x: Value) -> str:
    """Write the class that wins most pairs."""
    classes = step.node.whole("classes", 2, 1000)
    won, y = source.numbers(classes), source.numbers(1)
    first, second = _pairs(source, classes)
    source.each(classes, f"{won}[i] = 0.0;")
    source.each(len(x.kinds), f"{won}[{x.numbers}[i] > 0.0 ? {first}[i] : {second}[i]] += 1.0;")
    source.line(f"{y}[0] = {source.use('argmax')}({won}, {classes});")
    return y


def scores(source: Source, step: Step, x: Value) -> str:
    """Write the votes, plus the squeezed sums of the decision values."""
    y, sums, v = source.numbers(step.width), source.numbers(step.width), f"{x.numbers}[i]"
    first, second = _pairs(source, step.width)
    source.each(step.width, f"{y}[i] = {sums}[i] = 0.0;")
    source.line(f"for (int i = 0; i < {len(x.kinds)}; i++) {{")
    source.line(f"    {sums}[{first}[i]] += {v};")
    source.line(f"    {sums}[{second}[i]] -= {v};")
    source.line(f"    {y}[{v} < 0.0 ? {second}[i] : {first}[i]] += 1.0;")
    source.line("}")
    source.each(step.width, f"{y}[i] += {sums}[i] / (3.0 * (fabs({sums}[i]) + 1.0));")
    return y


def _pairs(source: Source, classes: int) -> tuple[str, str]:
    """Return the arrays of the first and of the second class of each pair."""
    first, second = zip(*combinations(range(classes), 2), strict=True)
    return source.array(first, "whole"), source.array(second, "whole")


NODES = {"machine": machine, "votes": votes, "scores": scores}
