"""Packing of graphs that were made elsewhere (`.onnx`, `.tflite`): the signature comes from their inputs and outputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flyweight import __version__
from flyweight.errors import InvalidInput
from flyweight.formats.csv import MISSING
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import model_writer
from flyweight.toolkit.packing.candidate import as_bytes, versions
from flyweight.toolkit.packing.engines import graph_formats
from flyweight.toolkit.packing.expected_answers import ExpectedAnswers, is_answer, read_expected_answers
from flyweight.toolkit.packing.graph import Graph
from flyweight.toolkit.packing.guard import guarded
from flyweight.toolkit.packing.kinds import kind_of_column
from flyweight.toolkit.packing.oracle import Array
from flyweight.toolkit.packing.pack import SELF_TEST_ROWS, Packed, check_target, self_test, write_model
from flyweight.toolkit.packing.parity import Parity, prove
from flyweight.toolkit.packing.sample import Row, frame_of
from flyweight.toolkit.packing.selection import ParityFailed
from flyweight.toolkit.packing.source_model import SAMPLE_ROWS, Progress, Rows
from flyweight.toolkit.packing.tables import is_text, typed

NOT_COMPARED = "nothing: the sample holds no answers"


class GraphRefused(ToolkitError):
    """A graph, or a sample for it, that can't be packed."""


def is_graph(path: Path) -> bool:
    """Check by its suffix whether a file is a graph."""
    return path.suffix in graph_formats()


@guarded("the graph can't be packed")
def pack_graph(
    source: str | Path,
    path: str | Path | None = None,
    *,
    sample: pd.DataFrame | None = None,
    classes: list[Any] | None = None,
    name: str = "model",
    version: str = "1.0.0",
    tolerance: float | None = None,
    unknown: str = "error",
    progress: Progress = lambda stage, done, total: None,
) -> Packed:
    """Put a graph into a model file, with the signature of its inputs and outputs.

    :param source: the graph's file.
    :param path: where to write the model file; None writes nothing.
    :param sample: rows of its features; columns named as `flyweight predict` names answers (`prediction`,
        `probability_CLASS`) hold what the graph should answer, and are compared. Without them nothing is compared.
    :param classes: the labels of a classifier, in the order of its probabilities, if the graph does not name them.
    :param tolerance: accept differences up to this; recorded in the file.
    :param unknown: what the model does with inputs that are no feature of it: "error" refuses them, "ignore" leaves them out.
    :raises GraphRefused: the graph takes or gives what a model file can't describe, or the sample does not fit it.
    :raises ModelRefused: the engine does not take the graph.
    :raises ParityFailed: the answers are not those of the sample; nothing is written.
    """
    check_target(name, version, path)
    began, source = time.perf_counter(), Path(source)
    data, form = source.read_bytes(), graph_formats()[source.suffix]
    sample = None if sample is None else sample.set_axis([str(column) for column in sample.columns], axis=1)
    columns = None if sample is None else [column for column in sample.columns if not is_answer(column)]
    row = None if sample is None or sample.empty else dict(zip(columns or [], sample[columns].iloc[0], strict=True))
    graph = form.read(data, row)
    names = _feature_names(graph, columns)
    sample = _typed(sample, names, graph)
    rows = [] if sample is None else _rows(graph, sample, names)
    labels = _labels(graph, classes)
    document: dict[str, Any] = {
        "name": name,
        "version": version,
        "signature": _signature(graph, names, labels, rows) | ({} if unknown == "error" else {"unknown": unknown}),
        "engines": [form.engine],
        form.engine: {"inputs": _positions(graph), "outputs": _outputs(graph, labels)},
        "requires": versions(form.package, "numpy"),
        "provenance": {"graph": source.name, "flyweight": __version__},
    }
    arrays = {form.blob: as_bytes(data)}
    _set_nullable(document, _read_back(document, arrays), rows)
    predictor = _read_back(document, arrays)
    parity = _prove(document, predictor, sample, rows, tolerance, progress)
    if rows:
        document["sample"] = self_test(predictor, rows[:SELF_TEST_ROWS])
    return write_model(document, arrays, path, parity=parity, steps=[], seconds=time.perf_counter() - began)


def _feature_names(graph: Graph, columns: list[str] | None) -> list[str]:
    """Name the features: a single table by the sample's columns, or by numbers; else each input by its own name.

    :param columns: the sample's columns of features; None without a sample.
    :raises GraphRefused: the sample has another number of features than the graph's only input.
    """
    if len(graph.inputs) == 1:
        width = graph.inputs[0].width
        if columns is not None and len(columns) != width:
            message = f"the graph takes {width} features, the sample has {len(columns)}: {', '.join(columns[:8])}"
            raise GraphRefused(message, "give a sample of exactly its features, in its order")
        return columns or [f"x{position}" for position in range(width)]
    return [
        port.name if port.width == 1 else f"{port.name}_{position}" for port in graph.inputs for position in range(port.width)
    ]


def _positions(graph: Graph) -> dict[str, list[int]]:
    """Map each input of the graph to the positions of its features."""
    positions, start = {}, 0
    for port in graph.inputs:
        positions[port.name] = [*range(start, start + port.width)]
        start += port.width
    return positions


def _kinds(graph: Graph) -> list[str]:
    return [port.kind for port in graph.inputs for _ in range(port.width)]


def _typed(sample: pd.DataFrame | None, names: list[str], graph: Graph) -> pd.DataFrame | None:
    """Convert a sample of texts by the kinds of the graph's inputs; answers become numbers if all of them are."""
    if sample is None or not is_text(sample):
        return sample
    kinds = {name: kind for name, kind in zip(names, _kinds(graph), strict=True) if name in sample.columns}
    answers = typed(sample, {name: "number" for name in sample.columns if is_answer(name)})
    whole = {
        name: "number"
        for name in sample.columns
        if is_answer(name) and not any(isinstance(value, str) for value in answers[name])
    }
    return typed(sample, {**kinds, **whole})


def _rows(graph: Graph, sample: pd.DataFrame, names: list[str]) -> list[Row]:
    """Turn the first rows of the sample into instances.

    :raises GraphRefused: a column holds strings where the graph takes numbers.
    :raises SampleRefused: the sample lacks a feature, or a column holds values of several kinds.
    """
    frame = frame_of(sample, names).iloc[:SAMPLE_ROWS]
    columns: list[list[Any]] = []
    for position, kind in enumerate(_kinds(graph)):
        column = frame.iloc[:, position]
        if kind == "string":
            columns.append([None if pd.isna(value) else str(value) for value in column.tolist()])
            continue
        if kind_of_column(column, names[position]) == "string":
            raise GraphRefused(
                f"column {names[position]!r} of the sample holds strings, the graph takes numbers there",
                "give the features as the graph takes them",
            )
        columns.append([np.nan if pd.isna(value) else float(value) for value in column.tolist()])
    return [list(row) for row in zip(*columns, strict=True)]


def _labels(graph: Graph, classes: list[Any] | None) -> list[Any] | None:
    """Find the labels: those that the caller gave, else those that the graph names; None if it does not classify.

    :raises GraphRefused: the labels are needed and unknown, or the graph has no output with one probability a class.
    """
    labels = graph.labels if classes is None else classes
    if labels is None and graph.label is not None and (graph.label.kind == "string" or graph.numbers):
        raise GraphRefused("the graph gives labels, and does not name its classes", "name them in order: --classes a,b,c")
    if labels is not None and graph.label is not None and graph.label.kind == "string":
        labels = [str(label) for label in labels]
    if labels is not None and classes is not None and not graph.label and not _has_probabilities(graph, len(labels)):
        raise GraphRefused(
            f"the graph gives no probabilities of {len(labels)} classes", "see what it gives, and name its classes"
        )
    return labels


def _has_probabilities(graph: Graph, labels: int) -> bool:
    return any(port.width == labels or (labels == 2 and port.width == 1) for port in graph.numbers)


def _outputs(graph: Graph, labels: list[Any] | None) -> dict[str, Any]:
    """Map our outputs to the graph's.

    :raises GraphRefused: a graph that does not classify gives no numbers.
    """
    if labels is None:
        main = graph.numbers[0] if graph.numbers else graph.label
        if main is None:
            raise GraphRefused("the graph gives no numbers")
        return {"values": {"name": main.name, "width": main.width}}
    outputs: dict[str, Any] = {"index": {"width": 1, **({"name": graph.label.name} if graph.label else {})}}
    for port in graph.numbers:
        if port.width == len(labels) or (len(labels) == 2 and port.width == 1):
            return {**outputs, "probabilities": {"name": port.name, "width": len(labels)}}
    return outputs


def _signature(graph: Graph, names: list[str], labels: list[Any] | None, rows: list[Row]) -> dict[str, Any]:
    """Build the document's `signature`; ranges are those of the sample's rows."""
    features = []
    for position, (name, kind) in enumerate(zip(names, _kinds(graph), strict=True)):
        values = [row[position] for row in rows if row[position] is not None and row[position] == row[position]]
        seen = {"range": [min(values), max(values)]} if kind == "number" and values else {}
        own = {"missing": list[str]()} if kind == "string" else {}  # it is never null, so that every text is a string
        features.append({"name": name, "kind": kind, "nullable": False, **seen, **own})
    shared = {"features": features, "missing": sorted(MISSING)}
    if labels is not None:
        return {"task": "classification", **shared, "outputs": 1, "classes": [labels]}
    return {"task": "regression", **shared, "outputs": _outputs(graph, None)["values"]["width"]}


def _set_nullable(document: dict[str, Any], predictor: Predictor, rows: list[Row]) -> None:
    """Mark the features that may be missing: numbers without which the graph still answers with finite numbers."""
    base = rows[0] if rows else ["" if kind == "s" else 0.0 for kind in predictor.signature.kinds]
    names = tuple(name for name in predictor.engine.widths)
    for position, feature in enumerate(document["signature"]["features"]):
        if feature["kind"] == "number":
            try:
                answers = predictor.engine.outputs([[*base[:position], np.nan, *base[position + 1 :]]], names)
            except InvalidInput:
                continue
            feature["nullable"] = all(np.isfinite(values).all() for values in answers)


def _prove(
    document: dict[str, Any],
    predictor: Predictor,
    sample: pd.DataFrame | None,
    rows: list[Row],
    tolerance: float | None,
    progress: Callable[[str, int, int], None],
) -> Parity:
    """Compare the graph's answers with those of the sample, and put the report into the document.

    :returns: the report; without answers in the sample nothing is compared, and the document says so.
    :raises ParityFailed: the answers differ.
    """
    expected = {} if sample is None else read_expected_answers(sample.iloc[: len(rows)], predictor)
    if not expected:
        for values in predictor.engine.outputs(rows, tuple(predictor.engine.widths)) if rows else ():
            assert len(values) == len(rows)
        parity = Parity(tolerance=tolerance)
        document["parity"] = {**parity.document(), "compared_with": NOT_COMPARED}
        return parity
    done = [0]

    def advance(count: int) -> None:
        done[0] += count
        progress("comparing rows", done[0], len(rows))

    oracle: Any = ExpectedAnswers(rows, expected)
    engine = {document["engines"][0]: predictor.engine}
    (parity,) = prove(engine, oracle, predictor.signature, Rows(rows, [], []), tolerance, advance).values()
    if not parity.holds:
        raise ParityFailed(parity)
    document["parity"] = {**parity.document(), "compared_with": "the answers of the sample"}
    return parity


def _read_back(document: dict[str, Any], arrays: dict[str, Array]) -> Predictor:
    """Load the model from the bytes of its file.

    :raises ModelRefused: the reader or the engine refuses the file.
    """
    return Predictor(model_file.parse(model_writer.to_bytes(document, arrays)))
