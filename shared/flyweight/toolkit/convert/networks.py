"""Multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import each_above


@converts("sklearn.MLPRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The last layer's sums, or their `exp` under a Poisson loss."""
    if estimator.out_activation_ not in ("identity", "exp"):
        raise ConversionRefused(draft.path, "MLPRegressor", f"its output {estimator.out_activation_!r} is not known")
    return {"values": _layers(estimator, x, draft, "log_linear.mean" if estimator.out_activation_ == "exp" else "linear.affine")}


@converts("sklearn.MLPClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The last layer through a sigmoid (two classes, or each of several labels a row) or a softmax."""
    sums, count = _layers(estimator, x, draft, "linear.affine"), len(estimator.classes_)
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        parts = [draft.add("links.sigmoid", draft.take(sums, [place]), columns=2, factor=1) for place in range(count)]
        shares = draft.join(parts)
        second = draft.take(shares, list(range(1, 2 * count, 2)))
        return {"index": each_above(second, 0.5, draft), "probabilities": shares}
    if estimator.out_activation_ == "logistic" and count == 2:
        shares = draft.add("links.sigmoid", sums, columns=2, factor=1)
    elif estimator.out_activation_ == "softmax":
        shares = draft.add("links.softmax", sums, columns=count)
    else:
        raise ConversionRefused(draft.path, "MLPClassifier", "it was fitted on one class only; fit it on at least two")
    return {"index": draft.add("labels.argmax", shares, columns=1, widths=[count]), "probabilities": shares}


def _layers(estimator: Any, x: Value, draft: Draft, last: str) -> Value:
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    for position, (weights, intercept) in enumerate(layers):
        if np.asarray(weights).dtype != np.float64:
            raise ConversionRefused(draft.path, type(estimator).__name__, "it was fitted on float32; fit it on float64")
        is_last = position == len(layers) - 1
        arrays = {"weights": weights.T, "intercept": intercept}
        x = draft.add(last if is_last else "linear.affine", x, columns=len(intercept), arrays=arrays)
        if not is_last and estimator.activation != "identity":
            x = draft.add(f"activations.{estimator.activation}", x, columns=len(intercept))
    return x
