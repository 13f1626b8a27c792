"""Candidates for the onnx engine: the estimator as a graph that skl2onnx makes; and `.onnx` files that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from flyweight.errors import ModelRefused
from flyweight.toolkit import installation
from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped, as_bytes, versions
from flyweight.toolkit.packing.graph import Graph, GraphFormat, Port

if TYPE_CHECKING:
    from flyweight.toolkit.packing.source_model import SourceModel

ORDER = 20
NARROWS = True

COMPOSED = {"Pipeline", "ColumnTransformer", "FeatureUnion"}  # classes that skl2onnx takes apart

# onnxruntime's name of a type -> the kind of a feature
KINDS = {
    **dict.fromkeys(("tensor(float)", "tensor(double)", "tensor(int64)", "tensor(int32)"), "number"),
    "tensor(bool)": "boolean",
    "tensor(string)": "string",
}


def refusal(classes: Sequence[str], functions: Sequence[str]) -> str:
    """Say that skl2onnx is not installed, or which classes and functions it does not know."""
    try:
        from skl2onnx._supported_operators import sklearn_operator_name_map  # no public function lists the classes
    except ImportError as error:
        return f"{error.name} is not installed here; {installation.command('onnx')}"
    known = {cls.__name__ for cls in sklearn_operator_name_map} | COMPOSED
    unknown = [name for name in dict.fromkeys(classes) if "._" not in name and name.rpartition(".")[2] not in known]
    unknown += functions  # only identities, which have none, become a graph
    return f"skl2onnx makes no graph of {', '.join(unknown)}" if unknown else ""


def candidates(model: SourceModel) -> Iterator[Candidate]:
    """Make candidates that hold the estimator as an ONNX graph: in float64 where its operators allow that, then in float32.

    :raises EngineSkipped: skl2onnx or onnxruntime is not installed, or skl2onnx makes no graph.
    """
    try:
        from flyweight.toolkit.packing import skl2onnx_graphs
    except ImportError as error:
        raise EngineSkipped(f"{error.name} is not installed here; {installation.command('onnx')}") from None
    requires = versions("onnxruntime", "numpy")
    for data, document in skl2onnx_graphs.graphs(model):
        yield Candidate("onnx", {"onnx": document}, {"onnx": as_bytes(data)}, requires)


def read_graph(data: bytes, row: dict[str, Any] | None) -> Graph:
    """Read an ONNX graph. It is run once to count its outputs' columns, since its shapes may be open.

    :param row: one row of the sample by column, to run the graph with; None runs it with zeros and empty strings.
    :raises ModelRefused: an input takes something else than tables of features, or the graph does not answer.
    """
    from flyweight.engines._foreign import as_table
    from flyweight.engines.onnx import session

    ready = session(data)
    inputs, feeds = [], {}
    for value in ready.get_inputs():
        port = _input_port(value, row)
        inputs.append(port)
        cells = _cells(value, port.width, row, len(ready.get_inputs()) == 1)
        feeds[port.name] = cells.reshape((1, port.width)[: len(value.shape)])
    try:
        answers = ready.run(None, feeds)
    except Exception as error:  # onnxruntime's errors have no base class of their own
        what = "the sample" if row else "a row of zeros"
        raise ModelRefused(f"the graph does not answer {what}: {type(error).__name__}") from error
    label, numbers, labels = None, [], _labels(data)
    for value, answer in zip(ready.get_outputs(), answers, strict=True):
        if value.type.startswith("seq(map"):
            labels = labels or [*answer[0]]
            numbers.append(Port(value.name, "number", len(answer[0])))
        elif value.type in ("tensor(int64)", "tensor(string)", "tensor(int32)"):
            label = label or Port(value.name, KINDS[value.type], 1)
        elif value.type in ("tensor(float)", "tensor(double)"):
            numbers.append(Port(value.name, "number", as_table(answer).shape[1]))
    return Graph(inputs, label, numbers, labels)


def _input_port(value: Any, row: dict[str, Any] | None) -> Port:
    """Describe one input of a graph.

    :raises ModelRefused: it takes something else than a table or column of features, or its width is unknown.
    """
    from flyweight.engines.onnx import TYPES

    shape = [*(value.shape or [])]
    if value.type not in TYPES or len(shape) not in (1, 2):
        raise ModelRefused(f"the graph's input {value.name!r}, {value.type} of shape {shape}, takes no table of features")
    width = 1 if len(shape) == 1 else shape[1] if isinstance(shape[1], int) else len(row) if row else None
    if width is None:
        raise ModelRefused(f"the graph's input {value.name!r} does not say how many features it takes; give a sample")
    return Port(value.name, KINDS[value.type], width)


def _cells(value: Any, width: int, row: dict[str, Any] | None, alone: bool) -> Any:
    """Choose the values that one input gets.

    :param alone: whether the graph has no other input; then it gets the whole row, else the column of its name.
    :returns: an array of shape (width,); zeros or empty strings where the row has no values that fit.
    """
    import numpy as np

    from flyweight.engines.onnx import TYPES

    dtype, strings = TYPES[value.type]
    cells = [*(row or {}).values()] if alone else [row[value.name]] if row and value.name in row else []
    if len(cells) != width or any(isinstance(cell, str) != strings for cell in cells):
        return np.full(width, "" if strings else 0, dtype)
    return np.array(cells, dtype=object).astype(dtype)


def _labels(data: bytes) -> list[Any] | None:
    """Find the labels in a classifier's node, or in the table from which labels are taken; None if there is neither."""
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


GRAPH_FORMAT = GraphFormat(".onnx", "onnx", "onnx", "onnxruntime", read_graph)
