"""Convert feature selection, by any criterion, to the columns that were kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import convert, converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


@converts(
    "sklearn.SelectKBest",
    "sklearn.SelectPercentile",
    "sklearn.SelectFpr",
    "sklearn.SelectFdr",
    "sklearn.SelectFwe",
    "sklearn.GenericUnivariateSelect",
    "sklearn.VarianceThreshold",
    "sklearn.SelectFromModel",
    "sklearn.SequentialFeatureSelector",
)
def selector(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns of `get_support()`."""
    return {"transform": draft.take(x, np.flatnonzero(estimator.get_support()).tolist())}


@converts("sklearn.RFE", "sklearn.RFECV")
def eliminated(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns that were kept, and the answers of the estimator that was fitted on them."""
    outputs = selector(estimator, x, draft)
    with draft.step("estimator"):
        return {**convert(estimator.estimator_, outputs["transform"], draft), **outputs}
