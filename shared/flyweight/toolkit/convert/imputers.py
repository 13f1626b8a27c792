"""Convert imputers that read other rows, or the row's other columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, is_missing
from flyweight.toolkit.convert.elementwise import flags
from flyweight.toolkit.convert.impute import simple
from flyweight.toolkit.convert.members import member

EMPTY = "keep_empty_features fills a feature that had no value in training; drop that feature"


@converts("sklearn.KNNImputer")
def nearest(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean over the nearest training rows.

    :raises ConversionRefused: its distances can't be followed, or it fills features without any value in training.
    """
    points = np.asarray(estimator._fit_X)
    _expect_nan(estimator, draft)
    if estimator.metric != "nan_euclidean" or estimator.weights != "uniform" or points.dtype != np.float64:
        helps = "its distances enter the answer, and can't be followed to the last bit; use weights='uniform' on float64"
        raise ConversionRefused(draft.path, "KNNImputer", helps)
    valid = np.asarray(estimator._valid_mask)
    with np.errstate(invalid="ignore"):
        means = np.array(
            [points[~np.isnan(column), p].mean() if v else 0.0 for p, (column, v) in enumerate(zip(points.T, valid, strict=True))]
        )
    draft.hints.append("rounding chose among rows at the same distance, by matrix products that differ from machine to machine")
    k = int(min(estimator.n_neighbors, len(points)))
    filled = draft.add("imputers.nearest", x, columns=x.columns, arrays={"points": points, "means": means}, k=k)
    if not valid.all():
        if estimator.keep_empty_features:
            raise ConversionRefused(draft.path, "KNNImputer", EMPTY)
        filled = draft.take(filled, np.flatnonzero(valid).tolist())
    return {"transform": _with_indicator(estimator, filled, x, draft)}


@converts("sklearn.IterativeImputer")
def iterative(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a first filling, then each regressor in turn over the values filled so far.

    :raises ConversionRefused: it answers at random, or fills features without any value in training.
    """
    _expect_nan(estimator, draft)
    if estimator.sample_posterior:
        raise ConversionRefused(draft.path, "IterativeImputer", "it answers at random; use sample_posterior=False")
    known = hasattr(estimator, "_is_empty_feature")  # not in older versions, where `keep_empty_features` changes other features
    empty = np.asarray(estimator._is_empty_feature if known else np.isnan(estimator.initial_imputer_.statistics_))
    if estimator.keep_empty_features and (empty.any() or not known):
        raise ConversionRefused(draft.path, "IterativeImputer", EMPTY)
    with draft.step("initial_imputer_"):
        filled = simple(estimator.initial_imputer_, x, draft)["transform"]
    if estimator.n_iter_ == 0:  # as with one feature, which no other can predict
        return {"transform": _with_indicator(estimator, filled, x, draft)}
    kept = draft.take(x, np.flatnonzero(~empty).tolist())
    low, high = (np.asarray(bound, dtype=float) for bound in (estimator._min_value, estimator._max_value))
    for number, (position, neighbors, regressor) in enumerate(estimator.imputation_sequence_):
        others = draft.take(filled, list(neighbors))
        predicted = member(regressor, others, draft, f"rounds.{number}", "values")["values"]
        arrays = {"limits": [float(low[position]), float(high[position])]}
        inputs = (kept, filled, predicted)
        filled = draft.add("imputers.merge", *inputs, columns=filled.columns, arrays=arrays, position=int(position))
    return {"transform": _with_indicator(estimator, filled, x, draft)}


def _expect_nan(estimator: Any, draft: Draft) -> None:
    """Check that only NaN counts as missing.

    :raises ConversionRefused: another value does.
    """
    if not is_missing(estimator.missing_values) or estimator.missing_values is None:
        helps = f"missing_values={estimator.missing_values!r}; only NaN has a conversion"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)


def _with_indicator(estimator: Any, filled: Value, x: Value, draft: Draft) -> Value:
    """Add the flags of missing values beside the filled ones, if the estimator has them."""
    if not estimator.add_indicator or not len(estimator.indicator_.features_):
        return filled
    return draft.join([filled, flags(x, [int(position) for position in estimator.indicator_.features_], draft)])
