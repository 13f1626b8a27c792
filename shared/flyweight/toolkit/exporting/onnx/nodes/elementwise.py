"""ONNX for `ops.elementwise`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.planned import Step, Value

SAME = {
    "absolute": "Abs",
    "arcsin": "Asin",
    "arcsinh": "Asinh",
    "ceil": "Ceil",
    "cos": "Cos",
    "exp": "Exp",
    "floor": "Floor",
    "log": "Log",
    "negative": "Neg",
    "rint": "Round",
    "sign": "Sign",
    "sin": "Sin",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}


def apply(graph: Graph, step: Step, x: Value) -> str:
    """Apply one function to every column."""
    word, v = step.node.choice("function", (*SAME, *OTHERS)), x.numbers
    y = graph.add(SAME[word], v) if word in SAME else OTHERS[word](graph, v)
    return _accepted(graph, step, y)


def _expit(graph: Graph, v: str) -> str:
    return graph.add("Div", 1.0, graph.add("Add", graph.add("Exp", graph.add("Neg", v)), 1.0))


OTHERS: dict[str, Callable[[Graph, str], str]] = {
    "expit": _expit,
    "expm1": lambda graph, v: graph.add("Sub", graph.add("Exp", v), 1.0),
    "log1p": lambda graph, v: graph.add("Log", graph.add("Add", v, 1.0)),
    "log2": lambda graph, v: graph.add("Div", graph.add("Log", v), math.log(2.0)),
    "log10": lambda graph, v: graph.add("Div", graph.add("Log", v), math.log(10.0)),
    "reciprocal": lambda graph, v: graph.add("Div", 1.0, v),
    "square": lambda graph, v: graph.add("Mul", v, v),
}


def accept(graph: Graph, step: Step, x: Value) -> str:
    """Refuse what the reader of the numbers does not accept."""
    return _accepted(graph, step, x.numbers)


def _accepted(graph: Graph, step: Step, y: str) -> str:
    takes = step.node.choice("takes", ("any", "nan", "finite"))
    if takes == "any":
        return y
    return graph.refusing(y, graph.add("IsInf", y) if takes == "nan" else graph.not_finite(y))


def power(graph: Graph, step: Step, x: Value) -> str:
    """Raise to the exponent."""
    return graph.add("Pow", x.numbers, step.node.floats("exponent", 1)[0])


def box_cox(graph: Graph, step: Step, x: Value) -> str:
    """Transform positive numbers, and scale them."""
    v = graph.refusing(x.numbers, graph.add("LessOrEqual", x.numbers, 0.0))
    return _scaled(graph, step, _powers(graph, graph.add("Log", v), _row(step, "lambdas")))


def yeo_johnson(graph: Graph, step: Step, x: Value) -> str:
    """Transform numbers of both signs, and scale them."""
    exponents, positive = _row(step, "lambdas"), graph.add("GreaterOrEqual", x.numbers, 0.0)
    logs = graph.add("Log", graph.add("Add", graph.add("Abs", x.numbers), 1.0))
    below = graph.add("Neg", _powers(graph, logs, 2.0 - exponents))
    return _scaled(graph, step, graph.add("Where", positive, _powers(graph, logs, exponents), below))


def _powers(graph: Graph, logs: str, exponents: Array) -> str:
    """Return `(exp(exponent * log) - 1) / exponent`, or its limit where the exponent is zero."""
    flat = np.abs(exponents) < 1e-19
    grown = graph.add("Sub", graph.add("Exp", graph.add("Mul", logs, exponents)), 1.0)
    return graph.add("Where", flat, logs, graph.add("Div", grown, np.where(flat, 1.0, exponents)))


def _scaled(graph: Graph, step: Step, y: str) -> str:
    return graph.add("Div", graph.add("Sub", y, _row(step, "mean")), _row(step, "scale"))


def _row(step: Step, name: str) -> Array:
    return np.array([step.node.floats(name, step.width)])


NODES = {"apply": apply, "accept": accept, "power": power, "box_cox": box_cox, "yeo_johnson": yeo_johnson}
