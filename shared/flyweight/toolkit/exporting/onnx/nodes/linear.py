"""ONNX for `ops.linear`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def affine(graph: Graph, step: Step, x: Value) -> str:
    """Multiply by the weights and add the intercepts."""
    weights = np.array(step.node.rows("weights", step.width, len(x.kinds))).reshape(step.width, len(x.kinds))
    return graph.add("Add", graph.add("MatMul", x.numbers, weights.T), np.array([step.node.floats("intercept", step.width)]))


NODES = {"affine": affine}
