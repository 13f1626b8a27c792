"""Packing of a fitted estimator: candidates are made, proved and, for batches, timed; the best becomes a model file."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flyweight import strict_json
from flyweight.errors import InvalidInput
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import Step
from flyweight.toolkit.packing import boosters, model_writer
from flyweight.toolkit.packing.parity import Parity
from flyweight.toolkit.packing.sample import Row
from flyweight.toolkit.packing.selection import EngineRefused, EngineSelection, ParityFailed, Progress, allowed_makers
from flyweight.toolkit.packing.source_model import read_source_model
from flyweight.toolkit.packing.timing import time_engines

__all__ = ["EngineRefused", "Packed", "ParityFailed", "pack"]

EDGE_ROWS = 2000
SELF_TEST_ROWS = 3  # the sample's rows that the file keeps with their answers, for its self-test


@dataclass(frozen=True)
class Packed:
    """A packed model: its bytes, its path, and the report of packing.

    :param data: the bytes of the model file.
    :param path: where they were written; None if they were not.
    :param engine: the engine that runs the file.
    :param steps: the estimators that were converted, if the file holds a plan.
    :param seconds: how long packing took.
    :param skipped: per engine that was tried and not chosen, why not.
    :param requires: the packages that the engine needs, each with its version.
    :param types: the types that a stored estimator is made of.
    :param narrowed: what the estimator takes and the file refuses; None if there is no such thing.
    :param timings: when packed for batches, seconds for `timing.ROWS` rows by engine.
    """

    data: bytes = field(repr=False)
    path: Path | None
    name: str
    version: str
    engine: str
    steps: list[Step]
    parity: Parity
    seconds: float
    skipped: dict[str, str] = field(default_factory=dict)
    requires: dict[str, str] = field(default_factory=dict)
    types: list[str] = field(default_factory=list)
    narrowed: str | None = None
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The hash that identifies the file."""
        return model_file.parse(self.data).sha256


def pack(
    estimator: Any,
    path: str | Path | None = None,
    *,
    sample: Any = None,
    name: str = "model",
    version: str = "1.0.0",
    tolerance: float | None = None,
    edge_count: int = EDGE_ROWS,
    engine: str | None = None,
    purpose: str = "cold",
    allow_pickle: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Packed:
    """Find the best engine that answers as a fitted estimator does, and write one model file.

    :param path: where to write the file; None writes nothing.
    :param sample: rows as the estimator takes them (DataFrame, array or lists), at best a few hundred; the signature and the
        proof are made from them, and the first three are kept in the file with their answers.
    :param tolerance: accept differences up to this, relative to the scale of the summed terms; recorded in the file.
    :param edge_count: the number of rows to make that try to break the model.
    :param engine: try this engine and no other: pure, onnx, sklearn or pickle.
    :param purpose: "cold" prefers the engine that starts soonest, "batch" the one that is fastest for many rows.
    :param allow_pickle: where no other engine can run it, store the estimator as a pickle, which is code.
    :raises ConversionRefused: no engine can run the estimator; the message says why, and what would help.
    :raises SampleRefused: the sample does not fit the estimator.
    :raises ParityFailed: the answers differ; nothing is written.
    :raises EngineRefused: the engine that was asked for can't run the estimator.
    """
    began = time.perf_counter()
    candidate_makers = allowed_makers(engine, allow_pickle)
    model = read_source_model(boosters.adopt(estimator), sample, edge_count)
    selection = EngineSelection(model, model.head(name, version), tolerance, purpose, progress)
    proved = selection.first(candidate_makers) if purpose == "cold" else selection.all(candidate_makers)
    if not proved:
        raise selection.failure(engine)
    rows = model.rows.sample or model.rows.edges
    timings = {} if purpose == "cold" else time_engines([candidate.predictor for candidate in proved], rows)
    best = selection.best(proved, timings)
    document = {
        **selection.document(best.candidate, best.engines),
        "parity": best.parity.document(),
        "skipped": selection.skipped,
    }
    test_rows = best.rows.sample[:SELF_TEST_ROWS] or _first_answered(best.predictor, best.rows.edges)
    if test_rows:
        document["sample"] = self_test(best.predictor, test_rows)
    steps = model.draft.steps if "plan" in document else []
    seconds = time.perf_counter() - began
    return write_model(document, best.candidate.arrays, path, parity=best.parity, steps=steps, timings=timings, seconds=seconds)


def write_model(document: dict[str, Any], arrays: dict[str, Any], path: str | Path | None, **report: Any) -> Packed:
    """Make the model file of a document and its arrays, and write it.

    :param path: where to write the file; None writes nothing.
    :param report: the fields of `Packed` that the document does not hold.
    :raises flyweight.ModelRefused: our own reader refuses the file; nothing is written.
    """
    data = model_writer.to_bytes(document, arrays)
    if path is not None:
        model_writer.write(path, data)
    return Packed(
        data,
        None if path is None else Path(path),
        document["name"],
        document["version"],
        document["engines"][0],
        skipped=document.get("skipped", {}),
        requires=document["requires"],
        narrowed=document.get("narrowed"),
        types=document.get("estimator", {}).get("types", []),
        **report,
    )


def self_test(predictor: Predictor, rows: list[Row]) -> dict[str, Any]:
    """Build the document's `sample`: rows with the answers that the model gives now."""
    instances = [
        {f.name: _as_sent(value, f.kind) for f, value in zip(predictor.signature.features, row, strict=True)} for row in rows
    ]
    # encoded like a response, so that a prediction that is not finite is recorded as it is sent: null
    return {"instances": instances, "predictions": json.loads(strict_json.encode(predictor.answer(rows).predictions))}


def _first_answered(predictor: Predictor, rows: list[Row]) -> list[Row]:
    """Find the first row that the model answers: without a sample, the model refuses some of the rows that were made.

    :returns: a list of that row, or an empty list.
    """
    for row in rows:
        try:
            predictor.answer([row])
        except InvalidInput:
            continue
        return [row]
    return []


def _as_sent(value: Any, kind: str) -> Any:
    if value is None or value != value:
        return None
    return bool(value) if kind == "boolean" else value
