"""An estimator to ONNX graphs through skl2onnx, and how their inputs and outputs are ours."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from flyweight.toolkit.packing.source_model import Subject

TARGET = {"": 18, "ai.onnx.ml": 3}  # what skl2onnx knows all converters of
Spec = dict[str, Any]


def graphs(subject: Subject) -> Iterator[tuple[bytes, Spec]]:
    """Each graph that skl2onnx makes of the estimator, in float64 first, with the document's `onnx`.

    :raises EngineSkipped: it makes none.
    """
    from flyweight.toolkit.packing.engines import EngineSkipped

    if subject.shape.form not in ("table", "texts"):
        raise EngineSkipped("a graph takes no dictionaries")
    if subject.classes is not None and len(subject.classes) > 1:
        raise EngineSkipped("answers of several outputs are not carried as a graph")
    found, reason = 0, "skl2onnx makes no graph of it"
    for number in (DoubleTensorType, FloatTensorType):
        for apart in [True] if "string" in subject.shape.kinds else [False, True] if subject.shape.framed else [False]:
            try:
                data = _converted(subject, number, apart)
                spec = {"inputs": _inputs(subject, apart), "outputs": _outputs(subject, data)}
            except Exception as error:  # it fails in many ways, and in none of its own
                first = (str(error).strip().splitlines() or [""])[0][:200]
                reason = f"skl2onnx makes no graph of it: {type(error).__name__}: {first}"
                continue
            found += 1
            yield data, spec
            break
    if not found:
        raise EngineSkipped(reason)


def _converted(subject: Subject, number: Any, apart: bool) -> bytes:
    """The graph's bytes; its inputs are one column each where `apart`, else one table."""
    names, kinds = subject.shape.names, subject.shape.kinds
    types = [StringTensorType if kind == "string" else number for kind in kinds]
    inputs = [(name, kind([None, 1])) for name, kind in zip(names, types, strict=True)]
    inputs = inputs if apart else [("X", number([None, len(names)]))]
    options = {id(subject.estimator): {"zipmap": False}} if subject.classes is not None else None
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = to_onnx(subject.estimator, initial_types=inputs, options=options, target_opset=TARGET)
        except NameError:  # an estimator that has no such option
            graph = to_onnx(subject.estimator, initial_types=inputs, target_opset=TARGET)
    data: bytes = graph.SerializeToString()
    return data


def _inputs(subject: Subject, apart: bool) -> dict[str, list[int]]:
    names = subject.shape.names
    return {name: [position] for position, name in enumerate(names)} if apart else {"X": [*range(len(names))]}


def _outputs(subject: Subject, data: bytes) -> dict[str, Any]:
    """The graph's first output is the prediction; a classifier's second its probabilities, or its scores where it has none."""
    from flyweight.engines.onnx import session

    names = [value.name for value in session(data).get_outputs()]
    wanted = ["values"] if subject.classes is None else ["index", "probabilities", "scores"]
    present = [name for name in wanted if name in subject.widths][:2]
    return {name: {"name": place, "width": subject.widths[name]} for name, place in zip(present, names, strict=False)}
