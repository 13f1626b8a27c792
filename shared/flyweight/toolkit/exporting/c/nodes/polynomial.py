"""C for `ops.polynomial`."""

from __future__ import annotations

from flyweight.toolkit.exporting.c.source import Source
from flyweight.toolkit.exporting.planned import Step, Value


def expand(source: Source, step: Step, x: Value) -> str:
    """Multiply each term's parent by its factor, one term after the other."""
    first = int(step.node.choice("bias", (True, False)))
    factors = step.node.indices("factor", len(x.kinds), None)
    parents = step.node.array("parent", "I32", (len(factors),)).values.tolist()
    y = source.numbers(step.width)
    if first:
        source.line(f"{y}[0] = 1.0;")
    if factors:
        parent, factor = f"{source.array(parents, 'whole')}[i]", f"{source.array(factors, 'whole')}[i]"
        source.each(
            len(factors),
            f"{y}[{first} + i] = ({parent} < 0 ? 1.0 : {y}[{parent} < 0 ? 0 : {parent}]) * {x.numbers}[{factor}];",
        )
    return y


NODES = {"expand": expand}
