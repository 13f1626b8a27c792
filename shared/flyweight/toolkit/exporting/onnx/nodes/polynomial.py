"""ONNX for `ops.polynomial`."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def expand(graph: Graph, step: Step, x: Value) -> str:
    """Multiply each term's parent by its factor; terms of one degree at a time."""
    bias = step.node.choice("bias", (True, False))
    factors = step.node.indices("factor", len(x.kinds), None)
    parents = step.node.array("parent", "I32", (len(factors),)).values.tolist()
    first = int(bias)
    parts, place = ([graph.repeated(np.ones((1, 1)))] if bias else []), dict(enumerate(range(first)))
    degree = {term: 0 for term in range(first)}
    for term, parent in enumerate(parents, first):
        degree[term] = 1 + (degree[parent] if parent >= 0 else 0)
    for own in range(1, max(degree.values(), default=0) + 1):
        terms = [term for term in range(first, first + len(parents)) if degree[term] == own]
        y = graph.columns(x.numbers, [factors[term - first] for term in terms])
        above = [parents[term - first] for term in terms]
        if own > 1 or (bias and all(parent >= 0 for parent in above)):
            y = graph.add("Mul", graph.columns(graph.joined(parts), [place[parent] for parent in above]), y)
        parts.append(y)
        place |= {term: len(place) + at for at, term in enumerate(terms)}
    return graph.columns(graph.joined(parts), [place[term] for term in range(step.width)])


NODES = {"expand": expand}
