"""Convert support vector machines of libsvm."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, dense
from flyweight.toolkit.convert.outliers import shifted, sign


@converts("sklearn.SVR", "sklearn.NuSVR")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one sum over the support vectors.

    :raises ConversionRefused: its kernel is a function or a matrix, or it has no support vector.
    """
    return {"values": _machine(estimator, x, draft)}


@converts("sklearn.OneClassSVM")
def one_class(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to 1 above zero, else -1.

    :raises ConversionRefused: its kernel is a function or a matrix, or it has no support vector.
    """
    scores = _machine(estimator, x, draft)
    samples = shifted(scores, estimator, draft)
    return {"values": sign(scores, draft, inclusive=False), "scores": scores, "score_samples": samples}


@converts("sklearn.SVC", "sklearn.NuSVC")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to votes of all pairs of classes, or with `break_ties` the highest score.

    With `decision_function_shape="ovo"` and more than two classes there is one score a pair.

    :raises ConversionRefused: its kernel is a function or a matrix, or it has no support vector.
    """
    count = len(estimator.classes_)
    pairs = _machine(estimator, x, draft, counts=np.asarray(estimator._n_support))
    by_class = estimator.decision_function_shape == "ovr"
    outputs: Outputs = {}
    if count == 2:  # libsvm's value is positive for the first class, scikit-learn's for the second
        outputs["scores"] = draft.affine(pairs, [[-1.0]])
    else:
        outputs["scores"] = draft.add("kernels.scores", pairs, columns=count, classes=count) if by_class else pairs
    if estimator.break_ties and by_class and count > 2:
        outputs["index"] = draft.argmax(outputs["scores"])
    else:
        outputs["index"] = draft.add("kernels.votes", pairs, columns=1, classes=count)
    if len(estimator._probA) and hasattr(estimator, "predict_proba"):
        arrays = {"slopes": np.ravel(estimator._probA), "offsets": np.ravel(estimator._probB)}
        outputs["probabilities"] = draft.add("coupling.shares", pairs, columns=count, classes=count, arrays=arrays)
    return outputs


def _machine(estimator: Any, x: Value, draft: Draft, **more: Any) -> Value:
    """Add the decision values; `more` are further arrays.

    :raises ConversionRefused: the kernel is a function or a matrix, or there is no support vector.
    """
    kernels = ("linear", "poly", "rbf", "sigmoid")
    if estimator.kernel not in kernels:
        raise ConversionRefused(draft.path, type(estimator).__name__, f"its kernel is not one of {', '.join(kernels)}")
    if not estimator.support_vectors_.shape[0]:
        raise ConversionRefused(draft.path, type(estimator).__name__, "it has no support vector; fit it on more data")
    arrays = {
        "vectors": estimator.support_vectors_ if x.sparse else dense(estimator.support_vectors_).astype(float),
        "weights": dense(estimator._dual_coef_).astype(float),
        "intercept": np.asarray(estimator._intercept_, dtype=float),
        "parameters": np.array([estimator._gamma, estimator.coef0], dtype=float),
        **more,
    }
    columns = len(arrays["intercept"])
    kernel, degree = estimator.kernel, int(estimator.degree)
    return draft.add("kernels.machine", x, columns=columns, arrays=arrays, kernel=kernel, degree=degree)
