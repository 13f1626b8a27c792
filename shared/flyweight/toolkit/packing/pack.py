"""A fitted estimator to one model file: candidates are made, proved and, for batches, raced; the best that holds is written."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flyweight.errors import InvalidInput
from flyweight.formats.json import json_bytes
from flyweight.models import file as model_file
from flyweight.predictor import Predictor
from flyweight.toolkit.convert.draft import Step
from flyweight.toolkit.packing import boosters, model_writer
from flyweight.toolkit.packing import engines as candidates
from flyweight.toolkit.packing.parity import Parity
from flyweight.toolkit.packing.sample import Row
from flyweight.toolkit.packing.selection import EngineRefused, EngineSelection, ParityFailed, Progress
from flyweight.toolkit.packing.source_model import subject_of
from flyweight.toolkit.packing.timing import raced

__all__ = ["EngineRefused", "Packed", "ParityFailed", "pack"]

EDGE_ROWS = 2000
KEPT_ROWS = 3  # how many of the sample's rows the file keeps to prove itself by


@dataclass(frozen=True)
class Packed:
    """A packed model: its bytes, where they were written, and the report.

    `passed_over`: why each engine that was looked at is not the file's; `requires`: the packages that its engine needs;
    `types`: those that its estimator is made of; `narrowed`: what the estimator takes and the file does not;
    `race`: seconds for `race.ROWS` rows by engine, where it was packed for batches.
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
    race: dict[str, float] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """The hash that names the file."""
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
    """Find the best engine that answers as a fitted estimator does, and write one model file at `path`, if given.

    :param sample: rows as the estimator takes them (DataFrame, array or lists), a few hundred at best; the signature and the
        proof are made from them, and the first three travel in the file with their answers.
    :param tolerance: accept differences up to this, relative to the scale of the summed terms; recorded in the file.
    :param engine: this one and no other: pure, onnx, sklearn or pickle.
    :param purpose: "cold", and the engine that starts soonest is the best one; or "batch", the one that is fastest for many rows.
    :param allow_pickle: where nothing else can, store the estimator as a pickle, which is code.
    :raises ConversionRefused: no engine can run the estimator; it says why, and what would help.
    :raises SampleRefused: the sample does not go with the estimator.
    :raises ParityFailed: the answers differ; nothing is written.
    :raises EngineRefused: the engine that was asked for can't run it.
    """
    began = time.perf_counter()
    subject = subject_of(boosters.adopt(estimator), sample, edge_count)
    names = [engine] if engine else [key for key in candidates.MAKERS if key != "pickle" or allow_pickle]
    choice = EngineSelection(subject, subject.head(name, version), tolerance, purpose, progress)
    held = choice.first(names) if purpose == "cold" else choice.all(names)
    if not held:
        raise choice.failure(engine)
    rows = subject.rows.sample, subject.rows.edges
    race = {} if purpose == "cold" else raced([proved.predictor for proved in held], rows[0] or rows[1])
    best = choice.best(held, race)
    document = {**choice.document(best.candidate, best.engines), "parity": best.parity.document(), "skipped": choice.passed}
    proof = best.rows.sample[:KEPT_ROWS] or _answered(best.predictor, best.rows.edges)
    if proof:
        document["sample"] = kept(best.predictor, proof)
    steps = subject.draft.steps if "plan" in document else []
    seconds = time.perf_counter() - began
    return written(document, best.candidate.arrays, path, parity=best.parity, steps=steps, race=race, seconds=seconds)


def written(document: dict[str, Any], arrays: dict[str, Any], path: str | Path | None, **report: Any) -> Packed:
    """The model file of a document and its arrays, written at `path`, if given, with the report."""
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


def kept(predictor: Predictor, rows: list[Row]) -> dict[str, Any]:
    """The rows that a file keeps, with their answers."""
    instances = [
        {f.name: _as_sent(value, f.kind) for f, value in zip(predictor.signature.features, row, strict=True)} for row in rows
    ]
    # through the same encoder as an answer, so that a prediction that is not finite is recorded as it is sent: null
    return {"instances": instances, "predictions": json.loads(json_bytes(predictor.answer(rows).predictions))}


def _answered(predictor: Predictor, rows: list[Row]) -> list[Row]:
    """The first row that the model answers, if any: of those made without a sample some are refused."""
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
