"""Support vector machines of libsvm."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.outliers import shifted, sign


@converts("sklearn.SVR", "sklearn.NuSVR")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One sum over the support vectors."""
    return {"values": _machine(estimator, x, draft)}


@converts("sklearn.OneClassSVM")
def one_class(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """1 above zero, else -1."""
    scores = _machine(estimator, x, draft)
    samples = shifted(scores, estimator, draft)
    return {"values": sign(scores, draft, inclusive=False), "scores": scores, "score_samples": samples}


@converts("sklearn.SVC", "sklearn.NuSVC")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Votes of all pairs of classes, or with `break_ties` the highest score.

    With `decision_function_shape="ovo"` the scores are one a pair where there are more than two classes.
    """
    count = len(estimator.classes_)
    pairs = _machine(estimator, x, draft, counts=np.asarray(estimator._n_support))
    by_class = estimator.decision_function_shape == "ovr"
    outputs: Outputs = {}
    if count == 2:  # libsvm's value speaks for the first class, scikit-learn's for the second
        arrays = {"weights": np.array([[-1.0]]), "intercept": np.zeros(1)}
        outputs["scores"] = draft.add("linear.affine", pairs, columns=1, arrays=arrays)
    else:
        outputs["scores"] = draft.add("kernels.scores", pairs, columns=count, classes=count) if by_class else pairs
    if estimator.break_ties and by_class and count > 2:
        outputs["index"] = draft.add("labels.argmax", outputs["scores"], columns=1, widths=[count])
    else:
        outputs["index"] = draft.add("kernels.votes", pairs, columns=1, classes=count)
    if len(estimator._probA) and hasattr(estimator, "predict_proba"):
        arrays = {"slopes": np.ravel(estimator._probA), "offsets": np.ravel(estimator._probB)}
        outputs["probabilities"] = draft.add("coupling.shares", pairs, columns=count, classes=count, arrays=arrays)
    return outputs


def _machine(estimator: Any, x: Value, draft: Draft, **more: Any) -> Value:
    kernels = ("linear", "poly", "rbf", "sigmoid")
    if estimator.kernel not in kernels:
        raise ConversionRefused(draft.path, type(estimator).__name__, f"its kernel is none of {', '.join(kernels)}")
    if not estimator.support_vectors_.shape[0]:
        raise ConversionRefused(draft.path, type(estimator).__name__, "it has no support vector; fit it on more data")
    arrays = {
        "vectors": estimator.support_vectors_ if x.sparse else _dense(estimator.support_vectors_),
        "weights": _dense(estimator._dual_coef_),
        "intercept": np.asarray(estimator._intercept_, dtype=float),
        "parameters": np.array([estimator._gamma, estimator.coef0], dtype=float),
        **more,
    }
    columns = len(arrays["intercept"])
    kernel, degree = estimator.kernel, int(estimator.degree)
    return draft.add("kernels.machine", x, columns=columns, arrays=arrays, kernel=kernel, degree=degree)


def _dense(table: Any) -> Any:
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table, dtype=float)
