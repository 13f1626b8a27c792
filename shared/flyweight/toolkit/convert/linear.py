"""Linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


@converts("sklearn.LinearRegression", "sklearn.Ridge", "sklearn.Lasso", "sklearn.ElasticNet", "sklearn.SGDRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One weighted sum an output."""
    return {"values": affine(estimator, x, draft)}


@converts("sklearn.LogisticRegression")
def logistic(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Scores through a sigmoid (two classes), a softmax, or one-vs-rest where an older scikit-learn fitted it so."""
    outputs = classifier(estimator, x, draft)
    scores, classes = outputs["scores"], len(estimator.classes_)
    ways = getattr(estimator, "multi_class", "auto")
    if len(scores.columns) == 1:
        factor = 2 if ways == "multinomial" else 1  # softmax of (-score, score) is a sigmoid of twice the score
        outputs["probabilities"] = draft.add("links.sigmoid", scores, columns=2, factor=factor)
    else:
        link = "links.one_vs_rest" if ways == "ovr" or estimator.solver == "liblinear" else "links.softmax"
        outputs["probabilities"] = draft.add(link, scores, columns=classes)
    return outputs


@converts("sklearn.SGDClassifier")
def sgd(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Probabilities where the loss has them."""
    outputs = classifier(estimator, x, draft)
    scores, classes = outputs["scores"], len(estimator.classes_)
    if estimator.loss == "log_loss":
        binary = len(scores.columns) == 1
        parameters: dict[str, Any] = {"factor": 1} if binary else {}
        link = "links.sigmoid" if binary else "links.one_vs_rest"
        outputs["probabilities"] = draft.add(link, scores, columns=classes, **parameters)
    elif estimator.loss == "modified_huber":
        outputs["probabilities"] = draft.add("links.modified_huber", scores, columns=classes)
    return outputs


@converts("sklearn.LinearSVC")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Scores, and the class of the highest, or of a positive one."""
    scores = affine(estimator, x, draft)
    if len(scores.columns) == 1:
        index = draft.add("labels.above", scores, columns=1, inclusive=False)
    else:
        index = draft.add("labels.argmax", scores, columns=1, widths=[len(scores.columns)])
    return {"index": index, "scores": scores}


def affine(estimator: Any, x: Value, draft: Draft) -> Value:
    """`coef_ @ x + intercept_`, coefficients of shape (outputs, features) or (features,), dense or sparse."""
    coefficients = estimator.coef_.toarray() if hasattr(estimator.coef_, "toarray") else estimator.coef_
    weights = np.atleast_2d(np.asarray(coefficients, dtype=float))
    intercept = np.broadcast_to(np.ravel(np.asarray(estimator.intercept_, dtype=float)), (len(weights),))
    return draft.add("linear.affine", x, columns=len(weights), arrays={"weights": weights, "intercept": intercept})
