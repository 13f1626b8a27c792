"""Convert multi-layer perceptrons."""

from __future__ import annotations

from typing import Any

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import each_above


@converts("sklearn.MLPRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the last layer's sums, or to their `exp` under a Poisson loss.

    :raises ConversionRefused: its output's activation is unknown, or it was fitted on float32.
    """
    if estimator.out_activation_ not in ("identity", "exp"):
        raise ConversionRefused(draft.path, "MLPRegressor", f"its output {estimator.out_activation_!r} is not known")
    return {"values": _layers(estimator, x, draft, "log_linear.mean" if estimator.out_activation_ == "exp" else "linear.affine")}


@converts("sklearn.MLPClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the last layer through a sigmoid (two classes, or each of several labels a row) or a softmax.

    :raises ConversionRefused: it was fitted on one class only, or on float32.
    """
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
    return {"index": draft.argmax(shares), "probabilities": shares}


def _layers(estimator: Any, x: Value, draft: Draft, last: str) -> Value:
    """Add all layers; `last` is the op of the last one."""
    layers = list(zip(estimator.coefs_, estimator.intercepts_, strict=True))
    for position, (weights, intercept) in enumerate(layers):
        draft.expect_double(estimator, weights)
        is_last = position == len(layers) - 1
        x = draft.affine(x, weights.T, intercept, last if is_last else "linear.affine")
        if not is_last and estimator.activation != "identity":
            x = draft.add(f"activations.{estimator.activation}", x, columns=len(intercept))
    return x
