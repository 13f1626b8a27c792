"""Graphs that skl2onnx makes of an estimator, each with the mapping from our features and outputs to the graph's own."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from flyweight.toolkit.packing.candidate import EngineSkipped
from flyweight.toolkit.packing.source_model import SourceModel

TARGET = {"": 18, "ai.onnx.ml": 3}  # opsets that all converters of skl2onnx know
Spec = dict[str, Any]


def graphs(model: SourceModel) -> Iterator[tuple[bytes, Spec]]:
    """Make the graphs of an estimator, in float64 first, then in float32.

    :returns: per graph its bytes and the document's `onnx`.
    :raises EngineSkipped: skl2onnx makes no graph of the estimator, or a graph can't answer as a model file does.
    """
    if model.shape.form not in ("table", "texts"):
        raise EngineSkipped("a graph takes no dictionaries")
    if model.classes is not None and len(model.classes) > 1:
        raise EngineSkipped("a graph does not carry answers of several outputs")
    count, reason = 0, "skl2onnx makes no graph of it"
    for number in (DoubleTensorType, FloatTensorType):
        for apart in [True] if "string" in model.shape.kinds else [False, True] if model.shape.framed else [False]:
            try:
                data = _graph(model, number, apart)
                spec = {"inputs": _inputs(model, apart), "outputs": _outputs(model, data)}
            except Exception as error:  # skl2onnx fails in many ways, and has no error of its own
                first = (str(error).strip().splitlines() or [""])[0][:200]
                reason = f"skl2onnx makes no graph of it: {type(error).__name__}: {first}"
                continue
            count += 1
            yield data, spec
            break
    if not count:
        raise EngineSkipped(reason)


def _graph(model: SourceModel, number: Any, apart: bool) -> bytes:
    """Make one graph.

    :param number: skl2onnx's type for the inputs that are numbers.
    :param apart: whether each feature is an input of its own; else the graph takes one table.
    :returns: the graph's bytes.
    """
    names, kinds = model.shape.names, model.shape.kinds
    types = [StringTensorType if kind == "string" else number for kind in kinds]
    inputs = [(name, kind([None, 1])) for name, kind in zip(names, types, strict=True)]
    inputs = inputs if apart else [("X", number([None, len(names)]))]
    options = {id(model.estimator): {"zipmap": False}} if model.classes is not None else None
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = to_onnx(model.estimator, initial_types=inputs, options=options, target_opset=TARGET)
        except NameError:  # the estimator's converter has no option `zipmap`
            graph = to_onnx(model.estimator, initial_types=inputs, target_opset=TARGET)
    data: bytes = graph.SerializeToString()
    return data


def _inputs(model: SourceModel, apart: bool) -> dict[str, list[int]]:
    """Map each input of the graph to the positions of its features."""
    names = model.shape.names
    return {name: [position] for position, name in enumerate(names)} if apart else {"X": [*range(len(names))]}


def _outputs(model: SourceModel, data: bytes) -> dict[str, Any]:
    """Map our outputs to the graph's.

    The graph's first output is the prediction; the second of a classifier is its probabilities, or its scores if it has none.
    """
    from flyweight.engines.onnx import session

    names = [value.name for value in session(data).get_outputs()]
    outputs = ["values"] if model.classes is None else ["index", "probabilities", "scores"]
    present = [name for name in outputs if name in model.widths][:2]
    return {name: {"name": place, "width": model.widths[name]} for name, place in zip(present, names, strict=False)}
