"""ONNX for `ops.coupling`: the iteration is a loop, in the op's own order of operations; a row that is near enough stays."""

from __future__ import annotations

from functools import reduce
from itertools import combinations

import numpy as np
from onnx import TensorProto

from flyweight.ops.coupling import MIN_SHARE
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.onnx.nodes.scale import kept
from flyweight.toolkit.exporting.planned import Step, Value


def shares(graph: Graph, step: Step, x: Value) -> str:
    """Couple the shares of all pairs of classes into probabilities."""
    count, width = step.width, len(x.kinds)
    slopes, offsets = (np.array([step.node.floats(name, width)]) for name in ("slopes", "offsets"))
    v = graph.add("Add", graph.add("Mul", x.numbers, slopes), offsets)
    e = graph.add("Exp", graph.add("Neg", graph.add("Abs", v)))
    above = graph.add("Where", graph.add("GreaterOrEqual", v, 0.0), e, 1.0)
    first = kept(graph, graph.add("Div", above, graph.add("Add", e, 1.0)), MIN_SHARE, 1.0 - MIN_SHARE)
    columns = _products(graph, first, graph.add("Sub", 1.0, first), count)
    start = graph.repeated(np.full((1, count), 1.0 / count))
    return graph.loop(max(100, count), start, lambda inner, p: _turn(inner, p, columns, count))


def _products(graph: Graph, first: str, second: str, count: int) -> list[str]:
    """Return the columns of the matrix Q of each row, each of shape (rows, classes), from the shares of each pair's classes."""
    pairs = [*combinations(range(count), 2)]
    beside = graph.add("Neg", graph.add("Mul", first, second))
    both = graph.joined([first, second])
    squares = graph.add("Mul", both, both)
    place = {pair: number for number, pair in enumerate(pairs)} | {(j, i): len(pairs) + n for n, (i, j) in enumerate(pairs)}
    middle = []
    for t in range(count):
        own = [graph.columns(squares, [place[j, t]]) for j in range(count) if j != t]
        middle.append(reduce(lambda a, b: graph.add("Add", a, b), own))
    table = graph.joined([beside, *middle])
    order = [[len(pairs) + t if j == t else place[min(j, t), max(j, t)] for j in range(count)] for t in range(count)]
    return [graph.columns(table, own) for own in order]


def _turn(graph: Graph, p: str, columns: list[str], count: int) -> tuple[str, str]:
    """Return the probabilities after one turn, and whether one of the rows had to change."""

    def ordered(terms: list[str]) -> str:
        return reduce(lambda a, b: graph.add("Add", a, b), terms)

    start = p
    qp = ordered([graph.add("Mul", columns[j], graph.columns(p, [j])) for j in range(count)])
    terms = graph.add("Mul", p, qp)
    pqp = ordered([graph.columns(terms, [t]) for t in range(count)])
    apart = graph.add("ReduceMax", graph.add("Abs", graph.add("Sub", qp, pqp)), np.array([1]), keepdims=1)
    going = graph.add("GreaterOrEqual", apart, 0.005 / count)
    for t in range(count):
        own, middle = graph.columns(qp, [t]), graph.columns(columns[t], [t])
        change = graph.add("Div", graph.add("Sub", pqp, own), middle)
        whole = graph.add("Add", change, 1.0)
        p = graph.add("Where", (np.arange(count) == t)[None], graph.add("Add", p, change), p)
        step = graph.add("Add", graph.add("Mul", change, middle), graph.add("Mul", own, 2.0))
        pqp = graph.add("Div", graph.add("Div", graph.add("Add", pqp, graph.add("Mul", change, step)), whole), whole)
        qp = graph.add("Div", graph.add("Add", qp, graph.add("Mul", change, columns[t])), whole)
        p = graph.add("Div", p, whole)
    on = graph.add("Cast", graph.add("ReduceMax", graph.whole(going), keepdims=0), to=TensorProto.BOOL)
    return graph.add("Where", going, p, start), on


NODES = {"shares": shares}
