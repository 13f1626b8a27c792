"""LiteRT for `ops.activations`."""

from __future__ import annotations

from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def relu(flat: Flat, step: Step, x: int) -> int:
    """Put 0 for numbers below it."""
    return flat.add("RELU", [x], step.width)


def tanh(flat: Flat, step: Step, x: int) -> int:
    """Return the hyperbolic tangent."""
    return flat.add("TANH", [x], step.width)


def logistic(flat: Flat, step: Step, x: int) -> int:
    """Return the logistic function."""
    return flat.add("LOGISTIC", [x], step.width)


NODES = {"relu": relu, "tanh": tanh, "logistic": logistic}
