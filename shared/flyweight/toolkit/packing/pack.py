"""Packing of a fitted estimator: candidates are made, proved and, for batches, timed; the best becomes a model file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flyweight import strict_json
from flyweight.errors import InvalidInput, ModelRefused
from flyweight.models import file as model_file
from flyweight.models.datetimes import iso
from flyweight.models.signature import Feature
from flyweight.predictor import Predictor, identifier
from flyweight.toolkit.convert.draft import Step
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing import model_writer, natives, origins
from flyweight.toolkit.packing.engines import CandidateMaker
from flyweight.toolkit.packing.guard import guarded
from flyweight.toolkit.packing.parity import Parity
from flyweight.toolkit.packing.reading import prove_reading
from flyweight.toolkit.packing.sample import Row
from flyweight.toolkit.packing.selection import (
    EngineRefused,
    EngineSelection,
    ParityFailed,
    ProvedCandidate,
    allowed_makers,
)
from flyweight.toolkit.packing.shapes import shapes_of
from flyweight.toolkit.packing.source_model import Progress, SourceModel, read_source_model
from flyweight.toolkit.packing.timing import time_engines

__all__ = ["EngineRefused", "Packed", "ParityFailed", "pack"]

BUDGET = 60.0  # seconds
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
    :param read_back: the rows of the sample that the model's own readers gave back unchanged, by the form of the file.
    :param unread: what a form can't hold, or was not tried.
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
    read_back: dict[str, int] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """The hash that identifies the file."""
        return model_file.parse(self.data).sha256

    def _repr_html_(self) -> str:
        from flyweight.toolkit.packing.packed_card import packed_card

        return packed_card(self)


@guarded("the estimator can't be packed")
def pack(
    estimator: Any,
    path: str | Path | None = None,
    *,
    sample: Any = None,
    name: str = "model",
    version: str = "1.0.0",
    tolerance: float | None = None,
    edge_count: int | None = None,
    budget: float = BUDGET,
    engine: str | None = None,
    purpose: str = "cold",
    allow_pickle: bool = False,
    types: Mapping[str, str] = {},
    unknown: str = "error",
    fitted_with: str | None = None,
    progress: Progress = lambda stage, done, total: None,
) -> Packed:
    """Find the best engine that answers as a fitted estimator does, and write one model file.

    :param path: where to write the file; None writes nothing.
    :param sample: rows as the estimator takes them (a DataFrame, a table of Arrow, an array or lists), at best a few hundred; the
        signature and the proof are made from them, and the first three are kept in the file with their answers.
    :param tolerance: accept differences up to this, relative to the scale of the summed terms; recorded in the file.
    :param edge_count: the number of rows to make that try to break the model; by default `EDGE_ROWS`, or fewer for a wide table.
    :param budget: the seconds for which each engine is compared over them; the report tells if the time was up.
    :param engine: try this engine and no other: pure, onnx, sklearn or pickle.
    :param purpose: "cold" prefers the engine that starts soonest, "batch" the one that is fastest for many rows.
    :param allow_pickle: where no other engine can run it, store the estimator as a pickle, which is code.
    :param types: the kinds of columns that neither the estimator nor the sample tells: number, integer, boolean, string, category
        or datetime, by name.
    :param unknown: what the model does with inputs that are no feature of it: "error" refuses them, "ignore" leaves them out.
    :param fitted_with: the library and the version that fitted the estimator, if they are not what is installed here and the
        model has to be what is read of it here all the same; the file records it.
    :raises VersionMismatch: another version of scikit-learn fitted the estimator.
    :raises ConversionRefused: no engine can run the estimator; the message says why, and what would help.
    :raises SampleRefused: the sample does not fit the estimator.
    :raises ParityFailed: the answers differ; nothing is written.
    :raises EngineRefused: the engine that was asked for can't run the estimator.
    :raises CodeFailed: a library, or the user's own code, raised an error; every error is a FlyweightError.
    """
    began = time.perf_counter()
    check_target(name, version, path)
    candidate_makers = allowed_makers(engine, allow_pickle)
    if fitted_with is None:
        origins.check(estimator)
    model = read_source_model(natives.adopt(estimator), sample, edge_count, progress, types=types, unknown=unknown)
    selection = EngineSelection(model, model.head(name, version), tolerance, purpose, progress, budget)
    best, timings = _best(selection, candidate_makers, engine)
    progress("reading the sample back", 0, 0)
    read_back, unread = prove_reading(best.predictor, model.table, model.rows.sample, model.original)
    document = _document(model, selection, best, read_back)
    if fitted_with is not None:
        document["provenance"] = {**document["provenance"], "fitted with": fitted_with}
    steps = model.draft.steps if "plan" in document else []
    progress("writing the file", 0, 0)
    report: dict[str, Any] = {"parity": best.parity, "steps": steps, "timings": timings, "unread": unread}
    return write_model(document, best.candidate.arrays, path, seconds=time.perf_counter() - began, **report)


def check_target(name: str, version: str, path: str | Path | None) -> None:
    """Check a model's name and version, and the place of its file, before anything is computed.

    :raises ToolkitError: a name is empty, too long, or has a letter that no model file takes; or no file can be in that place.
    """
    for key, value in (("name", name), ("version", version)):
        try:
            identifier({key: value}, key)
        except ModelRefused as error:
            raise ToolkitError(str(error), f"give another {key}: --{key}, or {key}= from Python") from None
    if path is not None:
        with _writing(path):
            model_writer.check_place(path)


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """Name the file in an error of the system.

    :raises ToolkitError: the file can't be written.
    """
    try:
        yield
    except OSError as error:
        raise ToolkitError(f"{path} can't be written: {error.strerror}", "choose another place for the model file") from error


def _best(
    selection: EngineSelection, candidate_makers: Sequence[CandidateMaker], engine: str | None
) -> tuple[ProvedCandidate, dict[str, float]]:
    """Choose the first engine that is proved or, for batches, the fastest.

    :param engine: the engine that was asked for, or None.
    :returns: the choice, and for batches the seconds of each engine.
    :raises ToolkitError: no engine can run the estimator.
    """
    cold, rows = selection.purpose == "cold", selection.model.rows
    proved = selection.first(candidate_makers) if cold else selection.all(candidate_makers)
    if not proved:
        raise selection.failure(engine)
    timings = {} if cold else time_engines([candidate.predictor for candidate in proved], rows.sample or rows.edges)
    return selection.best(proved, timings), timings


def _document(model: SourceModel, selection: EngineSelection, best: ProvedCandidate, read_back: dict[str, int]) -> dict[str, Any]:
    """Build the document of the file: how it was proved, and some rows with the answers that it gives now."""
    document = {
        **selection.document(best.candidate, best.engines),
        "parity": {**best.parity.document(), "read_back": read_back},
        "skipped": selection.skipped,
    }
    answered = [row for row, answer in zip(best.rows.sample, model.original.answers, strict=False) if answer is not None]
    test_rows = answered[:SELF_TEST_ROWS] or _first_answered(best.predictor, best.rows.edges)
    if test_rows:
        document["sample"] = self_test(best.predictor, test_rows)
    return {**document, **shapes_of(model.oracle, test_rows)}


def write_model(document: dict[str, Any], arrays: dict[str, Any], path: str | Path | None, **report: Any) -> Packed:
    """Make the model file of a document and its arrays, and write it.

    :param path: where to write the file; None writes nothing.
    :param report: the fields of `Packed` that the document does not hold.
    :raises flyweight.ModelRefused: our own reader refuses the file; nothing is written.
    :raises ToolkitError: the file can't be written.
    """
    data = model_writer.to_bytes(document, arrays)
    if path is not None:
        with _writing(path):
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
        read_back=document.get("parity", {}).get("read_back", {}),
        **report,
    )


def self_test(predictor: Predictor, rows: list[Row]) -> dict[str, Any]:
    """Build the document's `sample`: rows with the answers that the model gives now."""
    instances = [{f.name: _as_sent(value, f) for f, value in zip(predictor.signature.features, row, strict=True)} for row in rows]
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


def _as_sent(value: Any, feature: Feature) -> Any:
    """Turn a value of a row into what a request holds."""
    if value is None or value != value:
        return None
    if feature.kind == "datetime":
        return iso(value, feature.zone)
    return bool(value) if feature.kind == "boolean" else value
