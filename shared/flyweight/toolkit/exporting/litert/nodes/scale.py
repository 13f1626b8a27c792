"""LiteRT for `ops.scale`."""

from __future__ import annotations

from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def center(flat: Flat, step: Step, x: int) -> int:
    """Subtract, then divide."""
    for name, op, options in (("subtract", "SUB", "SubOptions"), ("divide", "DIV", "DivOptions")):
        if step.node.has(name):
            x = flat.add(op, [x, flat.constant(step.node.floats(name, step.width))], step.width, options=options)
    return x


def stretch(flat: Flat, step: Step, x: int) -> int:
    """Multiply and add."""
    if step.node.has("limits"):
        raise step.refuse("limits are not exported")
    for name, op, options in (("multiply", "MUL", "MulOptions"), ("add", "ADD", "AddOptions")):
        x = flat.add(op, [x, flat.constant(step.node.floats(name, step.width))], step.width, options=options)
    return x


NODES = {"center": center, "stretch": stretch}
