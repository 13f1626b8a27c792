"""The estimator that is packed, and what every engine for it shares: its plan, rows, features and own answers."""

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
    """The rows over which engines are compared with the estimator.

    :param sample: rows of the user's sample.
    :param edges: rows that are made to break the model.
    :param refused: rows that the estimator refuses, and that every engine has to refuse as well.
    """

    sample: list[Row]
    edges: list[Row]
    refused: list[Row]

    def complete(self) -> Rows:
        """Keep the rows that have no missing value."""
        kept = ([row for row in part if not any(map(is_missing, row))] for part in (self.sample, self.edges, self.refused))
        return Rows(*kept)


@dataclass(frozen=True)
class SourceModel:
    """A fitted estimator with its sample.

    :param draft: the plan's nodes and arrays, and what conversion learned about the features.
    :param plan: per output its value in the draft; None if the estimator has no plan.
    :param plan_refusal: why it has no plan; None if it has one.
    :param shape: how the estimator takes its input.
    :param oracle: the estimator's own answers.
    :param classes: per output the list of its labels; None if the estimator does not classify.
    :param widths: per output of the model file its number of columns; the main output (`index` or `values`) comes first.
    """

    estimator: Any
    draft: Draft
    plan: Outputs | None
    plan_refusal: ConversionRefused | None
    shape: Shape
    oracle: Oracle
    rows: Rows
    features: list[Feature]
    classes: list[list[Any]] | None
    widths: dict[str, int]

    def head(self, name: str, version: str) -> dict[str, Any]:
        """Build the part of the document that does not depend on the engine: name, version, signature and provenance."""
        method, outputs = self.oracle.method, self.widths["values" if self.classes is None else "index"]
        task = "transformation" if method == "transform" else "regression" if self.classes is None else "classification"
        return {
            "name": name,
            "version": version,
            "signature": {
                "task": task,
                "features": [{k: v for k, v in feature._asdict().items() if v is not None} for feature in self.features],
                "outputs": outputs,
                **({} if self.classes is None else {"classes": self.classes}),
            },
            "provenance": self.provenance(),
        }

    def provenance(self) -> dict[str, Any]:
        """Name the estimator's class, and the versions of scikit-learn and flyweight that make the file."""
        import sklearn

        return {"estimator": class_name(self.estimator), "scikit-learn": sklearn.__version__, "flyweight": __version__}


def read_source_model(estimator: Any, sample: Any, edge_count: int) -> SourceModel:
    """Read a fitted estimator and its sample, and convert the estimator to a plan if it has one.

    :param sample: rows as the estimator takes them, or None.
    :param edge_count: the number of rows to make that try to break the model.
    :raises ConversionRefused: it is not an estimator, not fitted, or answers nothing.
    :raises SampleRefused: the sample does not fit the estimator.
    """
    _check_estimator(estimator)
    names = names_of(estimator, sample)
    draft = Draft(names, markers_of(sample, names))
    plan, plan_refusal = _convert(estimator, draft)
    sample = as_categories(sample, names, draft.framed)
    textual = {p for p, known in draft.categories.items() if any(isinstance(category, str) for category in known)}
    textual |= {*draft.texts}
    shape = shape_of(estimator, sample, names, textual, draft.framed)
    rows = [] if sample is None else _spread(shape.to_rows(sample), SAMPLE_ROWS)
    classes = classes_of(estimator) if _classifies(estimator, plan) else None
    oracle, widths = _ask_outputs(estimator, shape, plan, classes, rows, alone=draft.alone)
    features, unseen = features_of(draft, oracle, rows)
    edges = edge_rows(draft, features, unseen, rows, edge_count)
    refused = refused_rows(draft, features, unseen, rows)
    return SourceModel(estimator, draft, plan, plan_refusal, shape, oracle, Rows(rows, edges, refused), features, classes, widths)


def _check_estimator(estimator: Any) -> None:
    """Check that this is an estimator that is fitted and answers something.

    :raises ConversionRefused: it is not.
    """
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


def _convert(estimator: Any, draft: Draft) -> tuple[Outputs | None, ConversionRefused | None]:
    """Convert the estimator into the draft.

    :returns: the plan's outputs and None, or None and why there is no plan.
    """
    try:
        outputs = convert(estimator, draft.input, draft)
    except ConversionRefused as refused:
        return None, refused
    if "transform" in outputs:  # an estimator that predicts as well gives it as a second output
        outputs = {("transformed" if hasattr(estimator, "predict") else "values"): outputs["transform"], **outputs}
        del outputs["transform"]
    # an output of a member for which the whole estimator has no method is not an output of the whole
    outputs = {output: value for output, value in outputs.items() if hasattr(estimator, METHODS.get(output, "fit"))}
    try:
        draft.prune(outputs)
    except ConversionRefused as refused:
        return None, refused
    return outputs, None


def _classifies(estimator: Any, plan: Outputs | None) -> bool:
    """Check whether the answers are classes; `classes_` alone does not show it, since a TargetEncoder has it as well."""
    from sklearn.base import is_classifier

    return "index" in plan if plan is not None else bool(is_classifier(estimator)) and hasattr(estimator, "classes_")


def _ask_outputs(
    estimator: Any, shape: Shape, plan: Outputs | None, classes: list[list[Any]] | None, rows: list[Row], *, alone: bool
) -> tuple[Oracle, dict[str, int]]:
    """Find the outputs that can be answered, from the plan or by asking the estimator for one row.

    :returns: the oracle for these outputs, and per output its number of columns.
    :raises SampleRefused: the estimator does not answer the row.
    """
    if plan is not None:
        main = "values" if classes is None else "index"
        widths = {output: len(value.columns) for output, value in plan.items()}
        return Oracle(estimator, shape, set(plan), alone=alone), {main: widths.pop(main), **widths}
    methods = {output for output, method in METHODS.items() if hasattr(estimator, method)}
    methods -= set() if hasattr(estimator, "predict") else {"transformed"}
    row = next(iter(rows), ["?" if kind == "string" else 0.0 for kind in shape.kinds])
    error: Exception | None = None
    # a method may exist and not work, as predict_proba of some wrappers
    for outputs in (methods, methods - {"transformed"}, set()):
        oracle = Oracle(estimator, shape, outputs)
        try:
            answers = oracle.answers([row])
        except Exception as failed:
            error = failed
            continue
        widths = _promised_widths({key: array.shape[1] for key, array in answers.items()}, classes)
        return Oracle(estimator, shape, set(widths)), widths
    assert error is not None
    raise SampleRefused(f"the estimator does not answer {'the sample' if rows else 'a row of zeros; give a sample'}: {error}")


def _promised_widths(widths: dict[str, int], classes: list[list[Any]] | None) -> dict[str, int]:
    """Keep the outputs whose number of columns fits what a signature can promise; the main output comes first."""
    labels = sum(map(len, classes or []))
    fitting = {"probabilities": {labels}, "scores": {labels, labels - 1, 1} if classes else {1}, "score_samples": {1}}
    others = {name: width for name, width in widths.items() if name != "predictions" and width in fitting.get(name, {width})}
    if classes is None:
        others.pop("probabilities", None)
    return {"values" if classes is None else "index": widths["predictions"], **others}


def _spread(rows: list[Row], count: int) -> list[Row]:
    """Pick at most `count` rows, evenly spread, so that all parts of a sorted sample are seen."""
    return rows if len(rows) <= count else [rows[position * len(rows) // count] for position in range(count)]
