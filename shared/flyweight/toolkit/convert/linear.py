"""Convert linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import convert, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, dense
from flyweight.toolkit.convert.members import each_above
from flyweight.toolkit.convert.outliers import shifted, sign


@converts(
    "sklearn.LinearRegression",
    "sklearn.Ridge",
    "sklearn.RidgeCV",
    "sklearn.Lasso",
    "sklearn.LassoCV",
    "sklearn.ElasticNet",
    "sklearn.ElasticNetCV",
    "sklearn.MultiTaskLasso",
    "sklearn.MultiTaskLassoCV",
    "sklearn.MultiTaskElasticNet",
    "sklearn.MultiTaskElasticNetCV",
    "sklearn.Lars",
    "sklearn.LarsCV",
    "sklearn.LassoLars",
    "sklearn.LassoLarsCV",
    "sklearn.LassoLarsIC",
    "sklearn.OrthogonalMatchingPursuit",
    "sklearn.OrthogonalMatchingPursuitCV",
    "sklearn.BayesianRidge",
    "sklearn.ARDRegression",
    "sklearn.HuberRegressor",
    "sklearn.QuantileRegressor",
    "sklearn.TheilSenRegressor",
    "sklearn.LinearSVR",
    "sklearn.PassiveAggressiveRegressor",
    "sklearn.SGDRegressor",
)
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one weighted sum an output."""
    return {"values": affine(estimator, x, draft)}


@converts("sklearn.LogisticRegression", "sklearn.LogisticRegressionCV")
def logistic(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to scores through a sigmoid (two classes), a softmax, or one-vs-rest if an older scikit-learn fitted it so."""
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
    """Convert to scores, and to probabilities if the loss has them."""
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


@converts("sklearn.LinearSVC", "sklearn.Perceptron", "sklearn.PassiveAggressiveClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to scores, and to the class of the highest score, or by the sign of a single one."""
    scores = affine(estimator, x, draft)
    if len(scores.columns) == 1:
        index = draft.add("labels.above", scores, columns=1, inclusive=False)
    else:
        index = draft.argmax(scores)
    return {"index": index, "scores": scores}


@converts("sklearn.RidgeClassifier", "sklearn.RidgeClassifierCV")
def ridge_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert as `classifier`; if a row has several labels, to each label by its own score."""
    if estimator._label_binarizer.y_type_.startswith("multilabel"):
        return {"index": each_above(affine(estimator, x, draft), 0.0, draft)}
    return classifier(estimator, x, draft)


@converts("sklearn.PoissonRegressor", "sklearn.GammaRegressor", "sklearn.TweedieRegressor")
def generalized(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one weighted sum under the inverse of the loss's link (`_GeneralizedLinearRegressor.predict`).

    :raises ConversionRefused: the link is unknown.
    """
    link = type(estimator._base_loss.link).__name__
    if link == "IdentityLink":
        return {"values": affine(estimator, x, draft)}
    if link == "LogLink":
        return {"values": affine(estimator, x, draft, op="log_linear.mean")}
    raise ConversionRefused(draft.path, type(estimator).__name__, f"the link {link} is not known")


@converts("sklearn.RANSACRegressor")
def ransac(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the estimator that was fitted on the inliers."""
    with draft.step("estimator_"):
        return convert(estimator.estimator_, x, draft)


@converts("sklearn.SGDOneClassSVM")
def sgd_one_class(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to 1 where `coef_ @ x - offset_` is not below zero, else -1."""
    scores = draft.affine(x, np.atleast_2d(dense(estimator.coef_)), -np.ravel(estimator.offset_))
    return {"values": sign(scores, draft), "scores": scores, "score_samples": shifted(scores, estimator, draft)}


def affine(estimator: Any, x: Value, draft: Draft, op: str = "linear.affine") -> Value:
    """Add `coef_ @ x + intercept_`, coefficients of shape (outputs, features) or (features,), dense or sparse."""
    weights = np.atleast_2d(dense(estimator.coef_))
    intercept = np.broadcast_to(np.ravel(np.asarray(estimator.intercept_, dtype=float)), (len(weights),))
    return draft.affine(x, weights, intercept, op)
