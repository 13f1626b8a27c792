"""What is packed, and all that every engine for it shares: rows, features, the signature, the estimator's own answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flyweight import __version__
from flyweight.models.signature import Feature
from flyweight.toolkit.convert import class_name, convert
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, is_missing
from flyweight.toolkit.packing.edge_rows import edge_rows, features_of, refused_rows
from flyweight.toolkit.packing.oracle import METHODS, Oracle, classes_of
from flyweight.toolkit.packing.sample import Row, SampleRefused, Shape, as_categories, markers_of, names_of, shape_of

SAMPLE_ROWS = 2000


@dataclass(frozen=True)
class Rows:
    """What engines are compared over: the sample's rows, rows made to break the model, rows that all should refuse."""

    sample: list[Row]
    edges: list[Row]
    refused: list[Row]

    def whole(self) -> Rows:
        """Those rows that have no missing value."""
        kept = ([row for row in part if not any(map(is_missing, row))] for part in (self.sample, self.edges, self.refused))
        return Rows(*kept)


@dataclass(frozen=True)
class Subject:
    """A fitted estimator with its sample. `plan`: its outputs as values of the draft; None, with the reason, where it has none.

    `widths`: per output of a model file its columns, the main one (`index` or `values`) first.
    """

    estimator: Any
    draft: Draft
    plan: Outputs | None
    no_plan: ConversionRefused | None
    shape: Shape
    oracle: Oracle
    rows: Rows
    features: list[Feature]
    classes: list[list[Any]] | None
    widths: dict[str, int]

    def head(self, name: str, version: str) -> dict[str, Any]:
        """What the document says whichever engine runs it."""
        method, outputs = self.oracle.method, self.widths["values" if self.classes is None else "index"]
        task = "transformation" if method == "transform" else "regression" if self.classes is None else "classification"
        return {
            "name": name,
            "version": version,
            "signature": {
                "task": task,
                "features": [{k: v for k, v in feature._asdict().items() if v is not None} for feature in self.features],  # type: ignore[attr-defined]
                "outputs": outputs,
                **({} if self.classes is None else {"classes": self.classes}),
            },
            "provenance": self.provenance(),
        }

    def provenance(self) -> dict[str, Any]:
        """Of what, and by what, the file is made."""
        import sklearn

        return {"estimator": class_name(self.estimator), "scikit-learn": sklearn.__version__, "flyweight": __version__}


def subject_of(estimator: Any, sample: Any, edge_count: int) -> Subject:
    """Read the estimator and its sample, and convert it to a plan if it has one.

    :raises ConversionRefused: it is no estimator, or not fitted, or answers nothing.
    :raises SampleRefused: the sample does not go with it.
    """
    _check_estimator(estimator)
    names = names_of(estimator, sample)
    draft = Draft(names, markers_of(sample, names))
    plan, no_plan = _converted(estimator, draft)
    sample = as_categories(sample, names, draft.framed)
    textual = {p for p, known in draft.categories.items() if any(isinstance(category, str) for category in known)}
    textual |= {*draft.texts}
    shape = shape_of(estimator, sample, names, textual, draft.framed)
    rows = [] if sample is None else _spread(shape.to_rows(sample), SAMPLE_ROWS)
    classes = classes_of(estimator) if _classifies(estimator, plan) else None
    oracle, widths = _asked(estimator, shape, plan, classes, rows, alone=draft.alone)
    features, unseen = features_of(draft, oracle, rows)
    edges = edge_rows(draft, features, unseen, rows, edge_count)
    refused = refused_rows(draft, features, unseen, rows)
    return Subject(estimator, draft, plan, no_plan, shape, oracle, Rows(rows, edges, refused), features, classes, widths)


def _check_estimator(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    name = class_name(estimator)
    if not hasattr(estimator, "get_params"):
        raise ConversionRefused("", name, "this is not a scikit-learn estimator")
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ConversionRefused("", name, "it is not fitted; call fit first") from None
    if not hasattr(estimator, "predict") and not hasattr(estimator, "transform"):
        raise ConversionRefused("", name, "it answers nothing about new rows: it has neither predict nor transform")


def _converted(estimator: Any, draft: Draft) -> tuple[Outputs | None, ConversionRefused | None]:
    try:
        outputs = convert(estimator, draft.input, draft)
    except ConversionRefused as refused:
        return None, refused
    if "transform" in outputs:  # of one that predicts as well it is an output beside
        outputs = {("transformed" if hasattr(estimator, "predict") else "values"): outputs["transform"], **outputs}
        del outputs["transform"]
    # a member's answer that the whole has no method for is not the whole's
    outputs = {output: value for output, value in outputs.items() if hasattr(estimator, METHODS.get(output, "fit"))}
    try:
        draft.prune(outputs)
    except ConversionRefused as refused:
        return None, refused
    return outputs, None


def _classifies(estimator: Any, plan: Outputs | None) -> bool:
    """Whether answers are classes; a TargetEncoder has classes_, and no class to tell."""
    from sklearn.base import is_classifier

    return "index" in plan if plan is not None else bool(is_classifier(estimator)) and hasattr(estimator, "classes_")


def _asked(
    estimator: Any, shape: Shape, plan: Outputs | None, classes: list[list[Any]] | None, rows: list[Row], *, alone: bool
) -> tuple[Oracle, dict[str, int]]:
    """The oracle for what can be answered, and each output's columns: as the plan has it, or as the estimator itself answers."""
    if plan is not None:
        main = "values" if classes is None else "index"
        widths = {output: len(value.columns) for output, value in plan.items()}
        return Oracle(estimator, shape, set(plan), alone=alone), {main: widths.pop(main), **widths}
    methods = {output for output, method in METHODS.items() if hasattr(estimator, method)}
    methods -= set() if hasattr(estimator, "predict") else {"transformed"}
    row = next(iter(rows), ["?" if kind == "string" else 0.0 for kind in shape.kinds])
    error: Exception | None = None
    # a method may be there and not work, as predict_proba of some wrappers
    for outputs in (methods, methods - {"transformed"}, set()):
        oracle = Oracle(estimator, shape, outputs)
        try:
            answers = oracle.answers([row])
        except Exception as failed:
            error = failed
            continue
        widths = _widths({key: array.shape[1] for key, array in answers.items()}, classes)
        return Oracle(estimator, shape, set(widths)), widths
    assert error is not None
    raise SampleRefused(f"the estimator does not answer {'the sample' if rows else 'a row of zeros; give a sample'}: {error}")


def _widths(given: dict[str, int], classes: list[list[Any]] | None) -> dict[str, int]:
    """The outputs whose columns a signature can promise."""
    labels = sum(map(len, classes or []))
    fitting = {"probabilities": {labels}, "scores": {labels, labels - 1, 1} if classes else {1}, "score_samples": {1}}
    beside = {name: width for name, width in given.items() if name != "predictions" and width in fitting.get(name, {width})}
    if classes is None:
        beside.pop("probabilities", None)
    return {"values" if classes is None else "index": given["predictions"], **beside}


def _spread(rows: list[Row], count: int) -> list[Row]:
    """At most `count` rows, evenly spread, so that a sorted sample is still seen whole."""
    return rows if len(rows) <= count else [rows[position * len(rows) // count] for position in range(count)]
