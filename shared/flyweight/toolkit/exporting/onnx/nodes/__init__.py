"""Nodes of an ONNX graph for the ops of a plan: one module a family, named as the family, found by name.

Each has a table `NODES` from an op's name to a function. It takes the graph, the step of the plan, and the op's inputs as
`Value`, adds nodes, and returns the op's value: a `Value`, or the name of a tensor of float64 of shape (rows, columns). It raises
`NotExported` by `step.refuse` for what ONNX has no exact operator for. A new op's export is a row here, or a new module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyweight.toolkit.exporting.families import function_of
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def value_of(graph: Graph, step: Step, inputs: list[Value]) -> Value:
    """Add the nodes of one step and return its value.

    :raises NotExported: the op has no form in ONNX.
    """
    make: Callable[..., Any] = function_of(__name__, "NODES", step, "ONNX")
    made = make(graph, step, *inputs)
    kinds = "n" * step.width if "z" in step.op.kinds else step.op.kinds
    return made if isinstance(made, Value) else Value(kinds, made)
