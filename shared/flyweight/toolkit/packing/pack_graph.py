"""A graph from anywhere (`.onnx`, `.tflite`) to a model file: its inputs give the signature, expected answers the proof."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flyweight import __version__
from flyweight.errors import FlyweightError, InvalidInput
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.packing.engines import as_bytes, versions
from flyweight.toolkit.packing.expected_answers import Recorded, expected_answers, is_answer
from flyweight.toolkit.packing.graph_readers import FORMS, Graph
from flyweight.toolkit.packing.oracle import Array
from flyweight.toolkit.packing.pack import KEPT_ROWS, Packed, kept, written
from flyweight.toolkit.packing.parity import Parity, prove
from flyweight.toolkit.packing.sample import Row, frame_of, kind_of
from flyweight.toolkit.packing.selection import ParityFailed, Progress
from flyweight.toolkit.packing.source_model import SAMPLE_ROWS

UNPROVED = "nothing: the sample tells no answers"


class GraphRefused(FlyweightError):
    """A graph, or a sample for it, that can't be packed; `next_step` says what would help."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.next_step = next_step


def is_graph(path: Path) -> bool:
    """Whether a file is a graph by its name."""
    return path.suffix in FORMS


def pack_graph(
    source: str | Path,
    path: str | Path | None = None,
    *,
    sample: pd.DataFrame | None = None,
    classes: list[Any] | None = None,
    name: str = "model",
    version: str = "1.0.0",
    tolerance: float | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Packed:
    """Put a graph into a model file, with the signature that its inputs and outputs give, and write it at `path`, if given.

    :param sample: rows of its features; columns named as `flyweight predict` names answers (`prediction`,
        `probability_CLASS`) are what the graph is expected to answer, and are compared. Without them nothing is.
    :param classes: the labels of a classifier, in the order of its probabilities, where the graph itself does not tell them.
    :raises GraphRefused: it takes or gives what a model file can't say.
    :raises ModelRefused: its runtime does not take it.
    :raises ParityFailed: its answers are not those expected; nothing is written.
    """
    began, source = time.perf_counter(), Path(source)
    data = source.read_bytes()
    sample = None if sample is None else sample.set_axis([str(column) for column in sample.columns], axis=1)
    form = FORMS[source.suffix]
    columns = None if sample is None else [column for column in sample.columns if not is_answer(column)]
    graph = form.read(
        data, None if sample is None or sample.empty else dict(zip(columns or [], sample[columns].iloc[0], strict=True))
    )
    names = _feature_names(graph, columns)
    rows = [] if sample is None else _rows(graph, sample, names)
    labels = _classes(graph, classes)
    head = {"name": name, "version": version, "signature": _signature(graph, names, labels, rows)}
    places = _places(graph)
    document: dict[str, Any] = {
        **head,
        "engines": [form.engine],
        form.engine: {"inputs": places, "outputs": _outputs(graph, labels)},
        "requires": versions(form.package, "numpy"),
        "provenance": {"graph": source.name, "flyweight": __version__},
    }
    arrays = {form.blob: as_bytes(data)}
    predictor = _read_back(document, arrays)
    _ask_nullable(document, predictor, rows)
    predictor = _read_back(document, arrays)
    parity = _proved(document, predictor, sample, rows, tolerance, progress)
    if rows:
        document["sample"] = kept(predictor, rows[:KEPT_ROWS])
    return written(document, arrays, path, parity=parity, steps=[], seconds=time.perf_counter() - began)


def _feature_names(graph: Graph, columns: list[str] | None) -> list[str]:
    """An input of one column is a feature by its name; a table of several has the sample's columns, or is numbered."""
    if len(graph.inputs) == 1:
        width = graph.inputs[0].width
        if columns is not None and len(columns) != width:
            message = f"the graph takes {width} features, the sample has {len(columns)}: {', '.join(columns[:8])}"
            raise GraphRefused(message, "give a sample of exactly its features, in its order")
        return columns or [f"x{position}" for position in range(width)]
    return [
        place.name if place.width == 1 else f"{place.name}_{position}"
        for place in graph.inputs
        for position in range(place.width)
    ]


def _places(graph: Graph) -> dict[str, list[int]]:
    """Per input of the graph the positions of its features."""
    places, start = {}, 0
    for place in graph.inputs:
        places[place.name] = [*range(start, start + place.width)]
        start += place.width
    return places


def _kinds(graph: Graph) -> list[str]:
    return [place.kind for place in graph.inputs for _ in range(place.width)]


def _rows(graph: Graph, sample: pd.DataFrame, names: list[str]) -> list[Row]:
    frame = frame_of(sample, names).iloc[:SAMPLE_ROWS]
    columns: list[list[Any]] = []
    for position, kind in enumerate(_kinds(graph)):
        column = frame.iloc[:, position]
        if kind == "string":
            columns.append([None if pd.isna(value) else str(value) for value in column.tolist()])
            continue
        if kind_of(column) == "string":
            raise GraphRefused(
                f"column {names[position]!r} of the sample holds strings, the graph takes numbers there",
                "give the features as it takes them",
            )
        columns.append([np.nan if pd.isna(value) else float(value) for value in column.tolist()])
    return [list(row) for row in zip(*columns, strict=True)]


def _classes(graph: Graph, given: list[Any] | None) -> list[Any] | None:
    """The labels: as given, or as the graph tells them; None for one that does not classify."""
    labels = graph.labels if given is None else given
    if labels is None and graph.label is not None and (graph.label.kind == "string" or graph.numbers):
        raise GraphRefused("the graph gives labels, and does not tell which there are", "name them in order: --classes a,b,c")
    if labels is not None and graph.label is not None and graph.label.kind == "string":
        labels = [str(label) for label in labels]
    if labels is not None and given is not None and not graph.label and not _fits(graph, len(labels)):
        raise GraphRefused(
            f"the graph gives no probabilities of {len(labels)} classes", "see what it gives, and name its classes"
        )
    return labels


def _fits(graph: Graph, labels: int) -> bool:
    return any(place.width == labels or (labels == 2 and place.width == 1) for place in graph.numbers)


def _outputs(graph: Graph, labels: list[Any] | None) -> dict[str, Any]:
    if labels is None:
        main = graph.numbers[0] if graph.numbers else graph.label
        if main is None:
            raise GraphRefused("the graph gives no numbers")
        return {"values": {"name": main.name, "width": main.width}}
    outputs: dict[str, Any] = {"index": {"width": 1, **({"name": graph.label.name} if graph.label else {})}}
    for place in graph.numbers:
        if place.width == len(labels) or (len(labels) == 2 and place.width == 1):
            return {**outputs, "probabilities": {"name": place.name, "width": len(labels)}}
    return outputs


def _signature(graph: Graph, names: list[str], labels: list[Any] | None, rows: list[Row]) -> dict[str, Any]:
    features = []
    for position, (name, kind) in enumerate(zip(names, _kinds(graph), strict=True)):
        values = [row[position] for row in rows if row[position] is not None and row[position] == row[position]]
        seen = {"range": [min(values), max(values)]} if kind == "number" and values else {}
        features.append({"name": name, "kind": kind, "nullable": False, **seen})
    if labels is not None:
        return {"task": "classification", "features": features, "outputs": 1, "classes": [labels]}
    return {"task": "regression", "features": features, "outputs": _outputs(graph, None)["values"]["width"]}


def _ask_nullable(document: dict[str, Any], predictor: Predictor, rows: list[Row]) -> None:
    """A number may be missing where the graph answers such a row with numbers."""
    base = rows[0] if rows else ["" if kind == "s" else 0.0 for kind in predictor.signature.kinds]
    names = tuple(name for name in predictor.engine.widths)
    for position, feature in enumerate(document["signature"]["features"]):
        if feature["kind"] == "number":
            try:
                answers = predictor.engine.outputs([[*base[:position], np.nan, *base[position + 1 :]]], names)
            except InvalidInput:
                continue
            feature["nullable"] = all(np.isfinite(values).all() for values in answers)


def _proved(
    document: dict[str, Any],
    predictor: Predictor,
    sample: pd.DataFrame | None,
    rows: list[Row],
    tolerance: float | None,
    progress: Callable[[str, int, int], None],
) -> Parity:
    """The proof against the answers that the sample tells; where it tells none the file says so."""
    expected = {} if sample is None else expected_answers(sample.iloc[: len(rows)], predictor)
    if not expected:
        for values in predictor.engine.outputs(rows, tuple(predictor.engine.widths)) if rows else ():
            assert len(values) == len(rows)
        parity = Parity(tolerance=tolerance)
        document["parity"] = {**parity.document(), "compared_with": UNPROVED}
        return parity
    done = [0]

    def advance(count: int) -> None:
        done[0] += count
        progress("comparing rows", done[0], len(rows))

    oracle: Any = Recorded(rows, expected)
    engine = {document["engines"][0]: predictor.engine}
    (parity,) = prove(engine, oracle, predictor.signature, rows, [], [], tolerance, advance).values()
    if not parity.holds:
        raise ParityFailed(parity)
    document["parity"] = {**parity.document(), "compared_with": "the answers that the sample tells"}
    return parity


def _read_back(document: dict[str, Any], arrays: dict[str, Array]) -> Predictor:
    return Predictor(model_file.parse(model_writer.to_bytes(document, arrays)))
