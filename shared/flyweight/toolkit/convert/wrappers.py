"""Convert estimators around another one: searches, frozen and self-trained ones, thresholds, transformed targets; and dummies."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.elementwise import applied
from flyweight.toolkit.convert.members import above, member


@converts("sklearn.GridSearchCV", "sklearn.RandomizedSearchCV", "sklearn.HalvingGridSearchCV", "sklearn.HalvingRandomSearchCV")
def search(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the best estimator, refitted.

    :raises ConversionRefused: it was not refitted.
    """
    if not hasattr(estimator, "best_estimator_"):
        raise ConversionRefused(draft.path, class_name(estimator), "it was fitted with refit=False; refit the best estimator")
    return member(estimator.best_estimator_, x, draft, "best_estimator")


@converts("sklearn.FrozenEstimator")
def frozen(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the estimator inside."""
    return member(estimator.estimator, x, draft, "estimator")


@converts("sklearn.SelfTrainingClassifier")
def self_training(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the estimator that was trained last."""
    name = "estimator_" if hasattr(estimator, "estimator_") else "base_estimator_"  # which scikit-learn renamed
    return member(getattr(estimator, name), x, draft, "estimator")


@converts("sklearn.FixedThresholdClassifier", "sklearn.TunedThresholdClassifierCV")
def threshold(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the positive class where its probability or score reaches the threshold (`_threshold_scores_to_class_labels`).

    :raises ConversionRefused: the estimator inside has no such probability or score.
    """
    inner = getattr(estimator, "estimator_", estimator.estimator)
    outputs = member(inner, x, draft, "estimator")
    shares = estimator.response_method != "decision_function" and hasattr(inner, "predict_proba")
    needed = "probabilities" if shares else "scores"
    if needed not in outputs:
        raise ConversionRefused(draft.path, class_name(inner), f"it gives no {needed}, which the threshold needs")
    limit = getattr(estimator, "best_threshold_", getattr(estimator, "threshold", 0.0))
    limit = (0.5 if shares else 0.0) if limit == "auto" else float(limit)
    labels = list(estimator.classes_)
    positive = _positive(estimator, labels)
    score = draft.take(outputs["probabilities"], [positive]) if shares else outputs["scores"]
    if positive == 1:
        index = above(score, limit, draft, inclusive=True)
    else:  # the score of the first class is the second's, negated; below the threshold the answer is the second class
        turned = draft.stretch(score, -1.0 if shares else 1.0, limit)
        index = draft.add("labels.above", turned, columns=1, inclusive=False)
    return {**{key: outputs[key] for key in ("probabilities", "scores") if key in outputs}, "index": index}


def _positive(estimator: Any, labels: list[Any]) -> int:
    """Return the position of the class that the threshold is for; a tuned one has it in its scorer."""
    label = getattr(estimator, "pos_label", None)
    scorer = getattr(estimator, "_curve_scorer", None)
    if scorer is not None:
        label = scorer._get_pos_label()
    return 1 if label is None else labels.index(label)


@converts("sklearn.TransformedTargetRegressor")
def transformed_target(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the regressor's values through the inverse of the target's transformer.

    :raises ConversionRefused: the inverse has no conversion.
    """
    values = member(estimator.regressor_, x, draft, "regressor", "values")["values"]
    with draft.step("transformer"):
        return {"values": _inverse(estimator.transformer_, values, draft)}


def _inverse(transformer: Any, x: Value, draft: Draft) -> Value:
    """Add the inverse of a transformer.

    :raises ConversionRefused: it has no conversion.
    """
    name = class_name(transformer)
    if name == "sklearn.FunctionTransformer" and transformer.inverse_func is None:
        return x
    if name == "sklearn.FunctionTransformer" and not transformer.inv_kw_args:
        return applied(transformer.inverse_func, x, draft)
    if name == "sklearn.StandardScaler":
        scale = transformer.scale_ if transformer.with_std else 1.0
        return draft.stretch(x, scale, transformer.mean_ if transformer.with_mean else 0.0)
    if name == "sklearn.RobustScaler":
        scale = transformer.scale_ if transformer.with_scaling else 1.0
        return draft.stretch(x, scale, transformer.center_ if transformer.with_centering else 0.0)
    if name == "sklearn.MaxAbsScaler":
        return draft.stretch(x, transformer.scale_)
    if name == "sklearn.MinMaxScaler":
        arrays = {"subtract": transformer.min_, "divide": transformer.scale_}
        return draft.add("scale.center", x, columns=len(x.columns), arrays=arrays)
    helps = "its inverse has no conversion; use a scaler, or func and inverse_func of NumPy (np.log and np.exp, np.log1p...)"
    raise ConversionRefused(draft.path, name, helps)


@converts("sklearn.DummyClassifier")
def dummy_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the same probabilities for every row.

    :raises ConversionRefused: it answers at random.
    """
    if estimator.strategy in ("stratified", "uniform"):
        helps = f"strategy={estimator.strategy!r} answers at random; use 'prior', 'most_frequent' or 'constant'"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    answers = estimator.predict_proba(np.zeros((1, 1)))
    parts = [np.ravel(part) for part in (answers if isinstance(answers, list) else [answers])]
    shares = _constant(x, np.concatenate(parts), draft)
    return {"index": draft.argmax(shares, [len(part) for part in parts]), "probabilities": shares}


@converts("sklearn.DummyRegressor")
def dummy_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the same values for every row."""
    return {"values": _constant(x, np.ravel(estimator.constant_).astype(float), draft)}


def _constant(x: Value, values: Any, draft: Draft) -> Value:
    """Add the same values for every row."""
    return draft.affine(draft.take(x, []), np.zeros((len(values), 0)), values)
