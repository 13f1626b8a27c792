"""Convert isotonic regressions (IsotonicRegression)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


@converts("sklearn.IsotonicRegression")
def isotonic(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the value on the line between two thresholds.

    :raises ConversionRefused: it was fitted on float32.
    """
    draft.note_edges(x, 0, np.asarray(estimator.X_thresholds_, dtype=float))
    y = lines([estimator], x, draft)
    return {"values": y, "transform": y}


def lines(estimators: list[Any], x: Value, draft: Draft) -> Value:
    """Add one isotonic regression a column, all with the same `out_of_bounds`.

    :raises ConversionRefused: one was fitted on float32.
    """
    xs = [np.asarray(estimator.X_thresholds_) for estimator in estimators]
    for estimator, knots in zip(estimators, xs, strict=True):
        draft.expect_double(estimator, knots)
    outside = {"clip": "clip", "nan": "nan", "raise": "refuse"}[estimators[0].out_of_bounds]
    arrays = {
        "xs": np.concatenate(xs),
        "ys": np.concatenate([np.asarray(estimator.y_thresholds_, dtype=float) for estimator in estimators]),
        "starts": np.cumsum([0, *map(len, xs)]).astype(np.int32),
    }
    return draft.add("interpolate.knots", x, columns=len(xs), outside=outside, names=x.names, arrays=arrays)
