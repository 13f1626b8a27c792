"""LiteRT for `ops.links`."""

from __future__ import annotations

from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def sigmoid(flat: Flat, step: Step, x: int) -> int:
    """Return the probabilities of two classes."""
    factor = float(step.node.choice("factor", (1, 2)))
    scaled = flat.add("MUL", [x, flat.constant([factor])], 1, options="MulOptions")
    p = flat.add("LOGISTIC", [scaled], 1)
    other = flat.add("SUB", [flat.constant([1.0]), p], 1, options="SubOptions")
    return flat.add("CONCATENATION", [other, p], 2, options="ConcatenationOptions", axis=1)


def softmax(flat: Flat, step: Step, x: int) -> int:
    """Return `exp` over its sum."""
    return flat.add("SOFTMAX", [x], step.width, options="SoftmaxOptions", beta=1.0)


NODES = {"sigmoid": sigmoid, "softmax": softmax}
