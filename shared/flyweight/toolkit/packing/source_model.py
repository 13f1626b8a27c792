"""The estimator that is packed, and what every engine for it shares: its plan, rows, features and own answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flyweight import __version__
from flyweight.formats.csv import MISSING
from flyweight.models.signature import Feature
from flyweight.toolkit.convert import class_name, convert
from flyweight.toolkit.convert._outside import what_it_is, where_to_go
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, is_missing
from flyweight.toolkit.convert.releases import is_fitted
from flyweight.toolkit.packing.edge_rows import edge_count_of, edge_rows, features_of, refused_rows
from flyweight.toolkit.packing.guard import STOPS, describe, first_line, step_of
from flyweight.toolkit.packing.oracle import METHODS, Oracle, classes_of
from flyweight.toolkit.packing.original import Original, ask_original
from flyweight.toolkit.packing.sample import Row, SampleRefused, Shape
from flyweight.toolkit.packing.source_table import SourceTable, read_source_table

SAMPLE_ROWS = 2000
Progress = Callable[[str, int, int], None]  # stage, rows done, rows in all


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
    :param table: the estimator's features, and the rows of the sample as it takes them.
    :param original: its answers to the sample as the user gave it.
    :param unknown: what happens to inputs that are no feature: "error" or "ignore".
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
    table: SourceTable
    original: Original
    unknown: str = "error"

    def head(self, name: str, version: str) -> dict[str, Any]:
        """Build the part of the document that does not depend on the engine: name, version, signature and provenance."""
        method, outputs = self.oracle.method, self.widths["values" if self.classes is None else "index"]
        task = "transformation" if method == "transform" else "regression" if self.classes is None else "classification"
        return {
            "name": name,
            "version": version,
            "signature": {
                "task": task,
                "features": [self._feature(position) for position in range(len(self.features))],
                "missing": sorted(MISSING),
                "outputs": outputs,
                **({} if self.classes is None else {"classes": self.classes}),
                **({} if self.unknown == "error" else {"unknown": self.unknown}),
            },
            "provenance": self.provenance(),
        }

    def _feature(self, position: int) -> dict[str, Any]:
        """Build a feature of the document's signature."""
        feature = self.features[position]
        document = {"name": feature.name, "kind": feature.kind, "nullable": feature.nullable}
        document |= {} if feature.categories is None else {"categories": feature.categories}
        document |= {} if feature.range is None else {"range": feature.range}
        if feature.kind == "datetime" and self.shape.zones[position] != "none":
            document["zone"] = self.shape.zones[position]
        if feature.kind == "string":
            words = self.table.missing(position, self.rows.sample, feature.nullable)
            document |= {} if words is None else {"missing": words}
        return document

    def provenance(self) -> dict[str, Any]:
        """Name the estimator's class, and the versions of scikit-learn and flyweight that make the file."""
        import sklearn

        return {"estimator": class_name(self.estimator), "scikit-learn": sklearn.__version__, "flyweight": __version__}


def read_source_model(
    estimator: Any,
    sample: Any,
    edge_count: int | None,
    progress: Progress = lambda stage, done, total: None,
    *,
    types: Mapping[str, str] = {},
    unknown: str = "error",
) -> SourceModel:
    """Read a fitted estimator and its sample, and convert the estimator to a plan if it has one.

    :param sample: rows as the estimator takes them, or None.
    :param edge_count: the number of rows to make that try to break the model; None for as many as suit the width of the table.
    :param progress: called at the beginning of each stage.
    :param types: the kinds of columns that the user named.
    :param unknown: what happens to inputs that are no feature: "error" or "ignore".
    :raises ConversionRefused: it is not an estimator, not fitted, or answers nothing.
    :raises SampleRefused: the sample does not fit the estimator.
    """
    _check_estimator(estimator)
    table = read_source_table(estimator, sample, types)
    draft = table.draft()
    progress("converting", 0, 0)
    plan, plan_refusal = _convert(estimator, draft)
    progress("reading the sample", 0, 0)
    shape = table.shape(estimator, draft)
    compared = table.spread(SAMPLE_ROWS)
    rows = [] if sample is None else shape.to_rows(compared.sample)
    classes = classes_of(estimator) if _classifies(estimator, plan) else None
    oracle, widths = _ask_outputs(estimator, shape, plan, classes, rows, alone=draft.alone)
    progress("asking for the sample", 0, 0)
    original = Original([], 0.0) if sample is None else ask_original(oracle, compared.sample, rows)
    progress("asking what it takes", 0, 0)
    features, unseen = features_of(draft, oracle, rows)
    edges = edge_rows(draft, features, unseen, rows, edge_count_of(len(features)) if edge_count is None else edge_count)
    all_rows = Rows(rows, edges, refused_rows(draft, features, unseen, rows))
    found = (draft, plan, plan_refusal, shape, oracle, all_rows, features, classes, widths, compared, original)
    return SourceModel(estimator, *found, unknown)


def _check_estimator(estimator: Any) -> None:
    """Check that this is an estimator that is fitted and answers something.

    :raises ConversionRefused: it is not.
    """
    name = class_name(estimator)
    if isinstance(estimator, type) or not hasattr(estimator, "get_params") or not hasattr(estimator, "fit"):
        raise ConversionRefused("", name, where_to_go(estimator) or what_it_is(estimator))
    if not is_fitted(estimator):
        raise ConversionRefused("", name, "it is not fitted; call fit first")
    if not hasattr(estimator, "predict") and not hasattr(estimator, "transform"):
        helps = "it answers nothing about new rows: it has neither predict nor transform"
        if hasattr(estimator, "cv_results_"):
            helps = "it was fitted with refit=False, and answers nothing; refit the best estimator"
        raise ConversionRefused("", name, helps)


def _convert(estimator: Any, draft: Draft) -> tuple[Outputs | None, ConversionRefused | None]:
    """Convert the estimator into the draft.

    :returns: the plan's outputs and None, or None and why there is no plan.
    :raises ConversionRefused: no other engine can run it either.
    """
    try:
        outputs = convert(estimator, draft.input, draft)
    except ConversionRefused as refused:
        if refused.final:
            raise
        return None, refused
    except Exception as error:  # a converter that meets what its author did not foresee; other engines may run the estimator
        what = f"its conversion failed: {first_line(error)}; report this as a fault of flyweight"
        return None, ConversionRefused(step_of(error, estimator), class_name(estimator), what)
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
    failed: BaseException | None = None
    # a method may exist and not work, as predict_proba of some wrappers
    for outputs in (methods, methods - {"transformed"}, set()):
        oracle = Oracle(estimator, shape, outputs)
        try:
            answers = oracle.answers([row])
        except STOPS:
            raise
        except BaseException as error:
            failed = error
            continue
        widths = _promised_widths({key: array.shape[1] for key, array in answers.items()}, classes)
        return Oracle(estimator, shape, set(widths)), widths
    assert failed is not None
    what = "the sample" if rows else "a row that was made without a sample; give a sample"
    raise SampleRefused(f"the estimator does not answer {what}: {describe(failed, estimator, row)}") from failed


def _promised_widths(widths: dict[str, int], classes: list[list[Any]] | None) -> dict[str, int]:
    """Keep the outputs whose number of columns fits what a signature can promise; the main output comes first."""
    labels = sum(map(len, classes or []))
    fitting = {"probabilities": {labels}, "scores": {labels, labels - 1, 1} if classes else {1}, "score_samples": {1}}
    others = {name: width for name, width in widths.items() if name != "predictions" and width in fitting.get(name, {width})}
    if classes is None:
        others.pop("probabilities", None)
    return {"values" if classes is None else "index": widths["predictions"], **others}
