"""Graphs of the litert engine: `.tflite` files. No estimator becomes one, so there are no candidates."""

from __future__ import annotations

from typing import Any

from flyweight.errors import ModelRefused
from flyweight.toolkit.packing.graph import Graph, GraphFormat, Port


def read_graph(data: bytes, row: dict[str, Any] | None) -> Graph:
    """Read a `.tflite` file as its interpreter describes it; a row of the sample is not needed.

    :raises ModelRefused: LiteRT does not load it, or it takes or gives something else than tables of float32.
    """
    from flyweight.engines.litert import interpreter

    ready = interpreter(data)
    inputs = [_float_port(detail) for detail in ready.get_input_details()]
    outputs = [_float_port(detail) for detail in ready.get_output_details()]
    return Graph(inputs, None, outputs, None)


def _float_port(detail: dict[str, Any]) -> Port:
    """Describe a tensor of shape (rows, columns).

    :raises ModelRefused: it is not a table of float32.
    """
    import numpy as np

    shape = detail["shape"].tolist()
    if detail["dtype"] is not np.float32 or len(shape) != 2:
        raise ModelRefused(f"{detail['name']!r}, {np.dtype(detail['dtype'])} of shape {shape}, is not a table of float32")
    return Port(detail["name"], "number", shape[1])


GRAPH_FORMAT = GraphFormat(".tflite", "litert", "tflite", "ai-edge-litert", read_graph)
