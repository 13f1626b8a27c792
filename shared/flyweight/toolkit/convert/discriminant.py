"""Discriminant analysis, and its relative, the nearest centroid."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.linear import classifier
from flyweight.toolkit.convert.naive_bayes import most_likely


@converts("sklearn.LinearDiscriminantAnalysis")
def linear(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Scores through a sigmoid (two classes) or a softmax."""
    outputs = classifier(estimator, x, draft)
    scores, classes = outputs["scores"], len(estimator.classes_)
    if len(scores.columns) == 1:
        outputs["probabilities"] = draft.add("links.sigmoid", scores, columns=2, factor=1)
    else:
        outputs["probabilities"] = draft.add("links.softmax", scores, columns=classes)
    if estimator.solver != "lsqr":
        outputs["transform"] = _projected(estimator, x, draft)
    return outputs


def _projected(estimator: Any, x: Value, draft: Draft) -> Value:
    """Along the axes that part the classes, `(x - xbar_) @ scalings_`, which the eigen solver does not center."""
    width = len(x.columns)
    if estimator.solver == "svd":
        x = draft.add("scale.center", x, columns=width, arrays={"subtract": np.asarray(estimator.xbar_, dtype=float)})
    weights = np.asarray(estimator.scalings_, dtype=float)[:, : estimator._max_components].T
    arrays = {"weights": weights, "intercept": np.zeros(len(weights))}
    return draft.add("linear.affine", x, columns=len(weights), arrays=arrays)


@converts("sklearn.QuadraticDiscriminantAnalysis")
def quadratic(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One Gaussian a class, along the axes of its covariance."""
    axes = zip(estimator.rotations_, estimator.scalings_, strict=True)
    arrays = {
        "means": np.asarray(estimator.means_, dtype=float),
        "factors": np.array([(rotation * scaling**-0.5).T for rotation, scaling in axes], dtype=float),
        "constants": np.log(estimator.priors_) - 0.5 * np.array([np.log(scaling).sum() for scaling in estimator.scalings_]),
    }
    count = len(estimator.classes_)
    scores = draft.add("gaussian.whitened", x, columns=count, arrays=arrays)
    outputs = most_likely(scores, draft)
    return {**outputs, "scores": _second_over_first(scores, draft) if count == 2 else scores}


@converts("sklearn.NearestCentroid")
def nearest_centroid(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The class of the nearest centroid; with equal priors features are not scaled for labels, but are for scores."""
    centroids, prior = np.asarray(estimator.centroids_, dtype=float), np.asarray(estimator.class_prior_, dtype=float)
    count, width = centroids.shape
    equal = bool(np.isclose(prior, 1 / count).all())
    if estimator.metric == "manhattan" and equal:
        arrays = {"points": centroids, "labels": np.arange(count).reshape(-1, 1)}
        search: dict[str, Any] = {"metric": "manhattan", "k": 1, "weights": "uniform", "widths": [count]}
        nearest = draft.add("neighbors.votes", x, columns=count, arrays=arrays, **search)
        return {"index": draft.add("labels.argmax", nearest, columns=1, widths=[count])}
    if estimator.metric != "euclidean":
        helps = "only its euclidean metric, or manhattan with equal priors, can be converted"
        raise ConversionRefused(draft.path, "NearestCentroid", helps)
    deviation = np.asarray(estimator.within_class_std_dev_, dtype=float)
    scale = np.where(deviation == 0, 1.0, deviation)
    with np.errstate(divide="ignore"):
        constants = 2.0 * np.log(prior)
    # the op halves what it subtracts
    arrays = {"means": centroids, "precisions": np.broadcast_to(2.0 / scale**2, (count, width)), "constants": constants}
    scores = draft.add("gaussian.expanded", x, columns=count, arrays=arrays)
    outputs = most_likely(scores, draft)
    if equal:
        arrays = {"means": centroids, "precisions": np.full((count, width), 2.0), "constants": np.zeros(count)}
        nearest = draft.add("gaussian.expanded", x, columns=count, arrays=arrays)
        outputs["index"] = draft.add("labels.argmax", nearest, columns=1, widths=[count])
    return {**outputs, "scores": _second_over_first(scores, draft) if count == 2 else scores}


def _second_over_first(scores: Value, draft: Draft) -> Value:
    """The decision value of two classes: how far the second leads."""
    arrays = {"weights": np.array([[-1.0, 1.0]]), "intercept": np.zeros(1)}
    return draft.add("linear.affine", scores, columns=1, arrays=arrays)
