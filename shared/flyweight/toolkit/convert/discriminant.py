"""Convert discriminant analysis, and the related nearest centroid."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.linear import classifier
from flyweight.toolkit.convert.naive_bayes import most_likely


@converts("sklearn.LinearDiscriminantAnalysis")
def linear(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to scores through a sigmoid (two classes) or a softmax."""
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
    """Add the projection on the axes that separate the classes, `(x - xbar_) @ scalings_`; the eigen solver does not center."""
    width = len(x.columns)
    if estimator.solver == "svd":
        x = draft.add("scale.center", x, columns=width, arrays={"subtract": np.asarray(estimator.xbar_, dtype=float)})
    weights = np.asarray(estimator.scalings_, dtype=float)[:, : estimator._max_components].T
    return draft.affine(x, weights)


@converts("sklearn.QuadraticDiscriminantAnalysis")
def quadratic(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one Gaussian a class, along the axes of its covariance."""
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
    """Convert to the class of the nearest centroid; with equal priors features are scaled for scores, but not for labels.

    :raises ConversionRefused: its metric can't be converted.
    """
    centroids = np.asarray(estimator.centroids_, dtype=float)
    count, width = centroids.shape
    scored = hasattr(estimator, "class_prior_")  # before scikit-learn 1.6 there were neither priors nor scores
    prior = np.asarray(estimator.class_prior_ if scored else np.full(count, 1 / count), dtype=float)
    equal = bool(np.isclose(prior, 1 / count).all())
    if estimator.metric == "manhattan" and equal:
        arrays = {"points": centroids, "labels": np.arange(count).reshape(-1, 1)}
        search: dict[str, Any] = {"metric": "manhattan", "k": 1, "weights": "uniform", "widths": [count]}
        nearest = draft.add("neighbors.votes", x, columns=count, arrays=arrays, **search)
        return {"index": draft.argmax(nearest)}
    if estimator.metric != "euclidean":
        helps = "only its euclidean metric, or manhattan with equal priors, can be converted"
        raise ConversionRefused(draft.path, "NearestCentroid", helps)
    if not scored:
        return {"index": _nearest(centroids, x, draft)}
    deviation = np.asarray(estimator.within_class_std_dev_, dtype=float)
    scale = np.where(deviation == 0, 1.0, deviation)
    with np.errstate(divide="ignore"):
        constants = 2.0 * np.log(prior)
    # the op halves the term that it subtracts
    arrays = {"means": centroids, "precisions": np.broadcast_to(2.0 / scale**2, (count, width)), "constants": constants}
    scores = draft.add("gaussian.expanded", x, columns=count, arrays=arrays)
    outputs = most_likely(scores, draft)
    if equal:
        outputs["index"] = _nearest(centroids, x, draft)
    return {**outputs, "scores": _second_over_first(scores, draft) if count == 2 else scores}


def _nearest(centroids: Any, x: Value, draft: Draft) -> Value:
    """Add the index of the centroid at the least Euclidean distance."""
    arrays = {"means": centroids, "precisions": np.full(centroids.shape, 2.0), "constants": np.zeros(len(centroids))}
    return draft.argmax(draft.add("gaussian.expanded", x, columns=len(centroids), arrays=arrays))


def _second_over_first(scores: Value, draft: Draft) -> Value:
    """Add the decision value of two classes: the lead of the second."""
    return draft.affine(scores, [[-1.0, 1.0]])
