"""Convert outlier detectors other than neighbors and support vector machines: the value is 1, or -1 for an outlier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.trees import add_sum, of_sklearn


@converts("sklearn.IsolationForest")
def isolation_forest(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean depth of a row in trees that split at random.

    :raises ConversionRefused: its trees saw one row each.
    """
    trees = []
    paths = zip(estimator._decision_path_lengths, estimator._average_path_length_per_tree, strict=True)
    for member, features, (depth, beyond) in zip(estimator.estimators_, estimator.estimators_features_, paths, strict=True):
        tree = of_sklearn(member, (depth + beyond - 1.0).reshape(-1, 1))
        trees.append(
            replace(tree, feature=np.where(tree.left < 0, tree.feature, np.asarray(features)[np.maximum(tree.feature, 0)]))
        )
    size = int(estimator._max_samples)
    if size < 2:
        raise ConversionRefused(draft.path, "IsolationForest", "its trees saw one row each; fit it with more max_samples")
    expected = 1.0 if size == 2 else 2.0 * (np.log(size - 1.0) + np.euler_gamma) - 2.0 * (size - 1.0) / size
    depths = add_sum(trees, x, draft, np.zeros(1), single=True, mean=False, exact=True)
    parameters = np.array([len(trees) * expected, 0.0])
    return judged(draft.add("outliers.isolation", depths, columns=1, arrays={"parameters": parameters}), estimator, draft)


def judged(samples: Value, estimator: Any, draft: Draft) -> Outputs:
    """Add the score, which is `score_samples` less `offset_`, and its sign, the answer."""
    offset = np.ravel(np.asarray(estimator.offset_, dtype=float))
    scores = draft.add("scale.center", samples, columns=1, arrays={"subtract": offset})
    return {"values": sign(scores, draft), "scores": scores, "score_samples": samples}


def shifted(scores: Value, estimator: Any, draft: Draft) -> Value:
    """Add `score_samples` of a detector that computes its score first: the score plus `offset_`."""
    offset = np.ravel(np.asarray(estimator.offset_, dtype=float))
    return draft.add("scale.center", scores, columns=1, arrays={"subtract": -offset})


def sign(scores: Value, draft: Draft, *, inclusive: bool = True) -> Value:
    """Add 1 for an inlier, -1 for an outlier."""
    return draft.add("outliers.sign", scores, columns=1, inclusive=inclusive)


@converts("sklearn.EllipticEnvelope")
def elliptic_envelope(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the Mahalanobis distance from the middle of the inliers."""
    arrays = {
        "mean": np.asarray(estimator.location_, dtype=float),
        "precision": np.asarray(estimator.get_precision(), dtype=float),
        "offset": np.zeros(1),
    }
    return judged(draft.add("outliers.mahalanobis", x, columns=1, arrays=arrays), estimator, draft)
