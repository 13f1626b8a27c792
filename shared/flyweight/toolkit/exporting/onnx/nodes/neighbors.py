"""ONNX for `ops.neighbors`: none is exact.

Of training rows at the same distance the model keeps those that a tree and a heap meet first.
"""

from __future__ import annotations

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def refused(graph: Graph, step: Step, x: Value) -> str:
    """Refuse a search for neighbors.

    :raises NotExported: always.
    """
    raise step.refuse("of training rows at the same distance it keeps those that a tree meets first; no operator of ONNX does")


NODES = {"votes": refused, "mean": refused, "outlier_factor": refused}
