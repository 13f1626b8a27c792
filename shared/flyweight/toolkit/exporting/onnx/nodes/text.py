"""ONNX for `ops.text`: named values only. No operator divides a text into words as Python's `re` does."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from flyweight.ops._words import listed
from flyweight.toolkit.exporting.onnx.graph import Graph
from flyweight.toolkit.exporting.planned import Step, Value


def pick(graph: Graph, step: Step, x: Value) -> str:
    """Put each feature in the column of its name, or of name, separator and text."""
    terms = {term: place for place, term in enumerate(listed(step.node, "terms"))}
    names = step.node.items("names", (str,), len(x.kinds))
    (separator,) = step.node.items("separator", (str,), 1)
    y = graph.repeated(np.zeros((1, step.width)))
    for column, (name, kind) in enumerate(zip(names, x.kinds, strict=True)):
        if kind == "n" and name in terms:
            v = graph.columns(x.numbers, [x.place(column)])
            v = graph.add("Where", graph.add("IsNaN", v), 0.0, v)
            y = graph.add("Add", y, graph.add("MatMul", v, np.eye(step.width)[[terms[name]]]))
        own = {term[len(name + separator) :]: place for term, place in terms.items() if term.startswith(name + separator)}
        if kind == "s" and own:
            place = graph.add(
                "LabelEncoder",
                graph.columns(x.strings, [x.place(column)]),
                domain="ai.onnx.ml",
                keys_tensor=numpy_helper.from_array(np.array([*own], dtype=object), "keys"),
                values_tensor=numpy_helper.from_array(np.array([*own.values()], dtype=np.int64), "values"),
                default_tensor=numpy_helper.from_array(np.array([-1], dtype=np.int64), "default"),
            )
            y = graph.add("Add", y, graph.double(graph.add("Equal", place, np.arange(step.width)[None])))
    return y


def _refused(graph: Graph, step: Step, x: Value) -> str:
    raise step.refuse("no operator of ONNX divides texts into terms, or hashes them, exactly as the model does")


NODES = {"pick": pick, "count": _refused, "hash": _refused, "hash_pick": _refused}
