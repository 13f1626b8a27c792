"""What a graph from anywhere takes and gives, asked of its own runtime; a new form is a new reader and a row of `FORMS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from flyweight.engines import _foreign
from flyweight.errors import ModelRefused


class Place(NamedTuple):
    """An input or output of a graph: its kind as a signature names it, and its columns."""

    name: str
    kind: str
    width: int


@dataclass
class Graph:
    """What a graph takes and gives: `label`: its output of labels; `numbers`: those of numbers; `labels`, where it tells them."""

    inputs: list[Place]
    label: Place | None
    numbers: list[Place]
    labels: list[Any] | None


class Form(NamedTuple):
    """One kind of file: which engine runs it, under which name its bytes are kept, the package that runs it, its reader.

    A reader takes the bytes, and one row of the sample by column, to try the graph on.
    """

    engine: str
    blob: str
    package: str
    read: Callable[[bytes, dict[str, Any] | None], Graph]


# onnxruntime's name of a type -> a feature's kind
KINDS = {
    **dict.fromkeys(("tensor(float)", "tensor(double)", "tensor(int64)", "tensor(int32)"), "number"),
    "tensor(bool)": "boolean",
    "tensor(string)": "string",
}


def read_onnx(data: bytes, first: dict[str, Any] | None) -> Graph:
    """An ONNX graph. Its outputs' columns are found by running a row, of zeros without a sample, since shapes may be open.

    :raises ModelRefused: it takes something else than tables of features, or does not answer.
    """
    from flyweight.engines.onnx import TYPES, session

    runs = session(data)
    inputs, feeds = [], {}
    for value in runs.get_inputs():
        shape = [*(value.shape or [])]
        if value.type not in TYPES or len(shape) not in (1, 2):
            raise ModelRefused(f"the graph's input {value.name!r}, {value.type} of shape {shape}, takes no table of features")
        width = 1 if len(shape) == 1 else shape[1] if isinstance(shape[1], int) else len(first) if first else None
        if width is None:
            raise ModelRefused(f"the graph's input {value.name!r} does not say how many features it takes; give a sample")
        inputs.append(Place(value.name, KINDS[value.type], width))
        feeds[value.name] = _fed(value, width, first, len(runs.get_inputs()) == 1).reshape((1, width)[: len(shape)])
    try:
        given = runs.run(None, feeds)
    except Exception as error:  # onnxruntime's errors have no base of their own
        raise ModelRefused(
            f"the graph does not answer {'the sample' if first else 'a row of zeros'}: {type(error).__name__}"
        ) from error
    label, numbers, labels = None, [], _labels(data)
    for value, answer in zip(runs.get_outputs(), given, strict=True):
        if value.type.startswith("seq(map"):
            labels = labels or [*answer[0]]
            numbers.append(Place(value.name, "number", len(answer[0])))
        elif value.type in ("tensor(int64)", "tensor(string)", "tensor(int32)"):
            label = label or Place(value.name, KINDS[value.type], 1)
        elif value.type in ("tensor(float)", "tensor(double)"):
            numbers.append(Place(value.name, "number", _foreign.as_table(answer).shape[1]))
    return Graph(inputs, label, numbers, labels)


def _fed(value: Any, width: int, first: dict[str, Any] | None, alone: bool) -> Any:
    """What one input gets of the sample's row: all of it, or the column of its name; zeros or empty strings without."""
    from flyweight.engines.onnx import TYPES

    dtype, strings = TYPES[value.type]
    cells = [*(first or {}).values()] if alone else [first[value.name]] if first and value.name in first else []
    if len(cells) != width or any(isinstance(cell, str) != strings for cell in cells):
        return np.full(width, "" if strings else 0, dtype)
    return np.array(cells, dtype=object).astype(dtype)


def read_litert(data: bytes, first: dict[str, Any] | None) -> Graph:
    """A `.tflite` file, as its interpreter describes it.

    :raises ModelRefused: it takes or gives something else than tables of float32.
    """
    from flyweight.engines.litert import interpreter

    runs = interpreter(data)
    inputs, numbers = (
        [_float_place(detail) for detail in side] for side in (runs.get_input_details(), runs.get_output_details())
    )
    return Graph(inputs, None, numbers, None)


def _float_place(detail: dict[str, Any]) -> Place:
    shape = detail["shape"].tolist()
    if detail["dtype"] is not np.float32 or len(shape) != 2:
        raise ModelRefused(f"{detail['name']!r}, {np.dtype(detail['dtype'])} of shape {shape}, is no table of float32")
    return Place(detail["name"], "number", shape[1])


FORMS = {
    ".onnx": Form("onnx", "onnx", "onnxruntime", read_onnx),
    ".tflite": Form("litert", "tflite", "ai-edge-litert", read_litert),
}


def _labels(data: bytes) -> list[Any] | None:
    """The labels in a classifier's node, or in the table from which labels are taken; None where there is neither."""
    try:
        import onnx
    except ImportError:
        return None
    graph = onnx.load_from_string(data).graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    for node in reversed(graph.node):
        for attribute in node.attribute:
            if attribute.name.startswith("classlabels_") and (attribute.strings or attribute.ints):
                return [text.decode() for text in attribute.strings] or [*attribute.ints]
        if node.op_type == "ArrayFeatureExtractor" and node.input[0] in tables:
            labels: list[Any] = onnx.numpy_helper.to_array(tables[node.input[0]]).ravel().tolist()
            return [label.decode() if isinstance(label, bytes) else label for label in labels]
    return None
