"""LiteRT for `ops.linear`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.litert.flat import Flat
from flyweight.toolkit.exporting.planned import Step


def affine(flat: Flat, step: Step, x: int) -> int:
    """Multiply by the weights and add the intercepts."""
    width = len(step.node.inputs[0])
    weights = flat.constant(np.array(step.node.rows("weights", step.width, width)).reshape(step.width, width))
    intercept = flat.constant(step.node.floats("intercept", step.width))
    return flat.add("FULLY_CONNECTED", [x, weights, intercept], step.width, options="FullyConnectedOptions")


NODES = {"affine": affine}
