"""Convert feature_engine's selection, matching and measuring of columns."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value
from flyweight.toolkit.convert.frames import Frame


@converts(
    "feature_engine.DropFeatures",
    "feature_engine.DropConstantFeatures",
    "feature_engine.DropDuplicateFeatures",
    "feature_engine.DropCorrelatedFeatures",
    "feature_engine.DropHighPSIFeatures",
    "feature_engine.SmartCorrelatedSelection",
    "feature_engine.SelectByInformationValue",
    "feature_engine.SelectByShuffling",
    "feature_engine.SelectBySingleFeaturePerformance",
    "feature_engine.SelectByTargetMeanPerformance",
    "feature_engine.RecursiveFeatureAddition",
    "feature_engine.RecursiveFeatureElimination",
    "feature_engine.ProbeFeatureSelection",
    "feature_engine.MRMR",
)
def selector(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns that were not dropped."""
    frame = Frame(estimator, x, draft)
    frame.drop(estimator.features_to_drop_)
    return frame.outputs()


@converts("feature_engine.MatchVariables", "feature_engine.MatchColumnsToTrainSet")
def matched(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to all columns: a request has those of training, or is refused before.

    :raises ConversionRefused: it changes the types of columns.
    """
    frame = Frame(estimator, x, draft)
    if estimator.match_dtypes:
        frame.refuse("match_dtypes=True changes what columns hold; a model file types its features itself, so leave it out")
    return frame.outputs()


@converts("feature_engine.TextFeatures")
def texts(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the measures of each text, behind all columns."""
    frame = Frame(estimator, x, draft)
    value = frame.of(estimator.variables_)
    for position, column in enumerate(value.columns):
        if column.source is not None:
            draft.texts.setdefault(column.source, ["Two words.", "3 Words, and 10 more!", "a\\tb", ""])
        one = draft.take(value, [position])
        labels = [f"{estimator.variables_[position]}_{measure}" for measure in estimator.features_]
        plain = column.source is not None and str(draft.dtypes.get(column.source)) in ("str", "string")
        frame.add("strings.measure", one, labels, measures=[*estimator.features_], ascii=plain)
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()
