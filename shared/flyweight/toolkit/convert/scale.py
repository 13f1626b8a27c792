"""Convert scalers."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


def _centered(x: Value, draft: Draft, subtract: Any, divide: Any) -> Value:
    """Add `(x - subtract) / divide`, where None leaves a step out."""
    arrays = {key: values for key, values in (("subtract", subtract), ("divide", divide)) if values is not None}
    back = zip(x.columns, _or(divide, 1.0, x), _or(subtract, 0.0, x), strict=True)
    return draft.add("scale.center", x, columns=[column.rescaled(d, s) for column, d, s in back], arrays=arrays)


def _or(values: Any, default: float, x: Value) -> list[float]:
    """Return the values as floats; None becomes the default for each column."""
    return [default] * len(x.columns) if values is None else [float(value) for value in values]


@converts("sklearn.StandardScaler")
def standard(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `(x - mean_) / scale_`, without the steps that are switched off (`mean_` is there even then)."""
    mean = estimator.mean_ if estimator.with_mean else None
    return {"transform": _centered(x, draft, mean, estimator.scale_ if estimator.with_std else None)}


@converts("sklearn.RobustScaler")
def robust(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `(x - center_) / scale_`, without the steps that are switched off."""
    center = estimator.center_ if estimator.with_centering else None
    return {"transform": _centered(x, draft, center, estimator.scale_ if estimator.with_scaling else None)}


@converts("sklearn.MaxAbsScaler")
def max_abs(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `x / scale_`, kept within -1 and 1 if `clip`."""
    scaled = _centered(x, draft, None, estimator.scale_)
    return {"transform": _clipped(scaled, draft, -1.0, 1.0) if getattr(estimator, "clip", False) else scaled}


@converts("sklearn.MinMaxScaler")
def min_max(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `x * scale_ + min_`, kept within the range if `clip`."""
    arrays = {"multiply": estimator.scale_, "add": estimator.min_}
    if estimator.clip:
        arrays["limits"] = np.asarray(estimator.feature_range, dtype=float)
    back = zip(x.columns, estimator.scale_, estimator.min_, strict=True)
    columns = [column.rescaled(1.0 / float(m), -float(a) / float(m)) for column, m, a in back]
    return {"transform": draft.add("scale.stretch", x, columns=columns, arrays=arrays)}


@converts("sklearn.Normalizer")
def normalizer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each row over its norm."""
    return {"transform": draft.add("scale.normalize", x, columns=len(x.columns), norm=estimator.norm)}


def _clipped(x: Value, draft: Draft, low: float, high: float) -> Value:
    """Add `x`, kept between `low` and `high`."""
    width = len(x.columns)
    arrays = {"multiply": [1.0] * width, "add": [0.0] * width, "limits": [low, high]}
    return draft.add("scale.stretch", x, columns=x.columns, arrays=arrays)
