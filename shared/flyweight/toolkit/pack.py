"""A fitted estimator to one model file: convert, prove, write."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sklearn

from flyweight import __version__, model_file
from flyweight.engines import numpy as batch_engine
from flyweight.engines.pure import Engine
from flyweight.outputs import json_bytes
from flyweight.predictor import Predictor
from flyweight.toolkit import model_writer
from flyweight.toolkit.convert import class_name, convert
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Step
from flyweight.toolkit.crossover import crossover
from flyweight.toolkit.edge_rows import edge_rows, features_of, refused_rows
from flyweight.toolkit.oracle import Oracle, classes_of
from flyweight.toolkit.parity import Parity, prove
from flyweight.toolkit.sample import Row, markers_of, names_of, shape_of

SAMPLE_ROWS = 2000
EDGE_ROWS = 2000
KEPT_ROWS = 3  # how many of the sample's rows the file keeps to prove itself by


class ParityFailed(Exception):
    """An engine that does not answer as the estimator does; no file was written."""

    def __init__(self, parity: Parity) -> None:
        first = "\n  ".join(parity.failures[:5])
        super().__init__(f"the converted model does not answer as the estimator does:\n  {first}")
        self.parity = parity


@dataclass(frozen=True)
class Packed:
    """A packed model: its bytes, where they were written, and the report."""

    data: bytes = field(repr=False)
    path: Path | None
    name: str
    version: str
    engine: str
    steps: list[Step]
    parity: Parity
    seconds: float

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
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Packed:
    """Convert a fitted estimator, prove that the result answers as it does, and write one model file at `path`, if given.

    :param sample: rows as the estimator takes them (DataFrame, array or lists), a few hundred at best; the signature and the
        proof are made from them, and the first three travel in the file with their answers.
    :param tolerance: accept differences up to this, relative to the scale of the summed terms; recorded in the file.
    :raises ConversionRefused: a step can't be converted; it says which, and what would help.
    :raises SampleRefused: the sample does not go with the estimator.
    :raises ParityFailed: the answers differ; nothing is written.
    """
    began = time.perf_counter()
    names = names_of(estimator, sample)
    draft, outputs = _converted(estimator, names, markers_of(sample, names))
    textual = {p for p, known in draft.categories.items() if any(isinstance(category, str) for category in known)}
    shape = shape_of(estimator, sample, names, textual)
    oracle = Oracle(estimator, shape, set(outputs))
    rows = [] if sample is None else _spread(shape.to_rows(sample), SAMPLE_ROWS)
    document = _document(estimator, draft, outputs, oracle, rows, name, version)
    predictor = _read_back(document, draft)
    unseen = document.pop("unseen")
    features = predictor.signature.features
    edges = edge_rows(draft, features, unseen, rows, edge_count)
    refused = refused_rows(draft, features, unseen, rows)
    parity = _proved(document, predictor, oracle, (rows, edges, refused), tolerance, progress)
    document["sample"] = _kept(predictor, rows[:KEPT_ROWS] or edges[:1])
    data = model_writer.to_bytes(document, draft.arrays)
    if path is not None:
        model_writer.write(path, data)
    where = None if path is None else Path(path)
    return Packed(data, where, name, version, "pure", draft.steps, parity, time.perf_counter() - began)


def _proved(
    document: dict[str, Any],
    predictor: Predictor,
    oracle: Oracle,
    rows: tuple[list[Row], list[Row], list[Row]],
    tolerance: float | None,
    progress: Callable[[str, int, int], None],
) -> Parity:
    """The proof of the plan by rows, which has to hold, and by batches, which are left out where it doesn't."""
    sample, edges, refused = rows
    assert isinstance(predictor.engine, Engine)
    total, done = len(sample) + len(edges), [0]

    def advance(count: int) -> None:
        done[0] += count
        progress("comparing rows", done[0], total)

    by_batch = batch_engine.Engine(predictor.file, predictor.engine.plan)
    engines = {"pure": predictor.engine, "numpy": by_batch}
    reports = prove(engines, oracle, predictor.signature, sample, edges, refused, tolerance, advance)
    parity = reports["pure"]
    if not parity.holds:
        raise ParityFailed(parity)
    document["parity"] = parity.document()
    if reports["numpy"].holds:
        document["engines"] = ["pure", "numpy"]
        document["batch"] = crossover(predictor.engine, by_batch, sample or edges, tuple(predictor.engine.widths))
    return parity


def _converted(estimator: Any, names: list[str], markers: list[Any]) -> tuple[Draft, Outputs]:
    draft = Draft(names, markers)
    if not hasattr(estimator, "get_params"):
        raise ConversionRefused("", class_name(estimator), "this is not a scikit-learn estimator")
    _check_fitted(estimator)
    outputs = convert(estimator, draft.input, draft)
    if "transform" in outputs:  # of one that predicts as well it is an output beside
        name = "transformed" if hasattr(estimator, "predict") else "values"
        outputs = {**outputs, name: outputs["transform"]}
        del outputs["transform"]
    draft.prune(outputs)
    return draft, outputs


def _check_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ConversionRefused("", class_name(estimator), "it is not fitted; call fit first") from None


def _document(
    estimator: Any, draft: Draft, outputs: Outputs, oracle: Oracle, rows: list[Row], name: str, version: str
) -> dict[str, Any]:
    features, unseen = features_of(draft, oracle, rows)
    classes = classes_of(estimator) if "index" in outputs else None  # a TargetEncoder has classes_, and no class to tell
    task = "transformation" if oracle.method == "transform" else "regression" if classes is None else "classification"
    main = outputs["values" if classes is None else "index"]
    signature = {
        "task": task,
        "features": [{k: v for k, v in feature._asdict().items() if v is not None} for feature in features],  # type: ignore[attr-defined]
        "outputs": len(main.columns),
        **({} if classes is None else {"classes": classes}),
    }
    return {
        "name": name,
        "version": version,
        "signature": signature,
        "engines": ["pure"],
        "plan": {"nodes": draft.nodes, "outputs": {output: value.name for output, value in outputs.items()}},
        "provenance": {
            "estimator": class_name(estimator),
            "steps": [{"path": step.path, "class": step.cls, "ops": step.ops} for step in draft.steps if step.ops],
            "scikit-learn": sklearn.__version__,
            "flyweight": __version__,
        },
        "unseen": unseen,
    }


def _read_back(document: dict[str, Any], draft: Draft) -> Predictor:
    """The model as a reader finds it: what is proved is the file and not what was in memory."""
    kept = {key: value for key, value in document.items() if key != "unseen"}
    return Predictor(model_file.parse(model_writer.to_bytes(kept, draft.arrays)))


def _kept(predictor: Predictor, rows: list[Row]) -> dict[str, Any]:
    instances = [
        {f.name: _as_sent(value, f.kind) for f, value in zip(predictor.signature.features, row, strict=True)} for row in rows
    ]
    # through the same encoder as an answer, so that a prediction that is not finite is recorded as it is sent: null
    return {"instances": instances, "predictions": json.loads(json_bytes(predictor.answer(rows).predictions))}


def _as_sent(value: Any, kind: str) -> Any:
    if value is None or value != value:
        return None
    return bool(value) if kind == "boolean" else value


def _spread(rows: list[Row], count: int) -> list[Row]:
    """At most `count` rows, evenly spread, so that a sorted sample is still seen whole."""
    return rows if len(rows) <= count else [rows[position * len(rows) // count] for position in range(count)]
