"""Convert clusterers and mixtures that predict: the value is the label of a cluster, a whole number."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value

Array = np.ndarray[Any, Any]


@converts("sklearn.KMeans", "sklearn.MiniBatchKMeans", "sklearn.MeanShift", "sklearn.AffinityPropagation")
def centered(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the position of the nearest of `cluster_centers_`.

    :raises ConversionRefused: it has no centers, or was fitted on float32.
    """
    centers = getattr(estimator, "cluster_centers_", None)
    if centers is None or not len(centers):
        raise ConversionRefused(draft.path, type(estimator).__name__, "it has no centers; fit it on features until it converges")
    return _nearest(estimator, centers, np.arange(len(centers)), x, draft)


@converts("sklearn.Birch")
def birch(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the label of the nearest subcluster."""
    return _nearest(estimator, estimator.subcluster_centers_, estimator.subcluster_labels_, x, draft)


@converts("sklearn.BisectingKMeans")
def bisecting(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the leaf of the tree of bisections that the nearer child leads to."""
    nodes: list[Any] = []
    right: list[int] = []
    stack = [(estimator._bisecting_tree, -1)]
    while stack:  # preorder: the left child is the next node
        node, parent = stack.pop()
        if parent >= 0:
            right[parent] = len(nodes)
        nodes.append(node)
        right.append(0)
        if node.left is not None:
            stack += [(node.right, len(nodes) - 1), (node.left, -1)]
    labels = [node.label if node.left is None else 0 for node in nodes]
    mean = getattr(estimator, "_X_mean", np.zeros(len(x.columns)))
    centers = np.array([np.zeros(len(x.columns)) if node.center is None else node.center + mean for node in nodes])
    return _nearest(estimator, centers, np.array(labels), x, draft, op="centers.descend", right=np.array(right))


def _nearest(
    estimator: Any, centers: Any, labels: Any, x: Value, draft: Draft, op: str = "centers.nearest", **more: Array
) -> Outputs:
    """Add the label of the nearest center, and the distances if the estimator transforms."""
    centers = np.asarray(centers)
    draft.expect_double(estimator, centers)
    arrays = {"centers": centers, "labels": np.asarray(labels, dtype=np.int32), **more}
    outputs = {"values": draft.add(op, x, columns=1, arrays=arrays)}
    if hasattr(estimator, "transform"):  # in a tree of centers to those of leaves only
        ends = centers if op == "centers.nearest" else estimator.cluster_centers_
        arrays = {"centers": np.asarray(ends, dtype=float)}
        outputs["transform"] = draft.add("centers.distances", x, columns=len(ends), arrays=arrays)
    return outputs


@converts("sklearn.GaussianMixture", "sklearn.BayesianGaussianMixture")
def mixture(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the component of the highest weighted density.

    :raises ConversionRefused: it was fitted on float32.
    """
    means, factors, kind = estimator.means_, estimator.precisions_cholesky_, estimator.covariance_type
    draft.expect_double(estimator, means)
    count, width = means.shape
    arrays = {"means": means}
    if kind in ("full", "tied"):
        op = "gaussian.whitened"
        arrays["factors"] = np.swapaxes(factors.reshape(-1, width, width), 1, 2)
    else:
        op = "gaussian.expanded"
        arrays["precisions"] = np.broadcast_to(factors.reshape(count, -1) ** 2, (count, width))
    arrays["constants"] = _log_determinants(factors, kind, count, width) + _log_weights(estimator, width)
    scores = draft.add(op, x, columns=count, arrays=arrays)
    return {
        "values": draft.argmax(scores),
        "probabilities": draft.add("links.softmax", scores, columns=count),
        "score_samples": draft.add("links.log_sum", scores, columns=1),
    }


def _log_determinants(factors: Array, kind: str, count: int, width: int) -> Array:
    """Return the logarithm of each component's normalizing factor."""
    if kind in ("full", "tied"):
        logs = np.log(np.diagonal(factors.reshape(-1, width, width), axis1=1, axis2=2)).sum(axis=1)
    else:
        logs = np.log(np.broadcast_to(factors.reshape(count, -1), (count, width))).sum(axis=1)
    logs = np.broadcast_to(logs, (count,)) - 0.5 * width * np.log(2 * np.pi)
    return np.asarray(logs, dtype=float)


def _log_weights(estimator: Any, width: int) -> Array:
    """Return the other terms that do not depend on the row.

    Sources: `_estimate_log_weights`, `BayesianGaussianMixture._estimate_log_prob`.
    """
    logs = np.asarray(estimator._estimate_log_weights(), dtype=float)
    if type(estimator).__name__ == "GaussianMixture":
        return logs
    from scipy.special import digamma  # type: ignore[import-untyped]

    freedom = np.asarray(estimator.degrees_of_freedom_, dtype=float)
    spread = width * np.log(2.0) + digamma(0.5 * (freedom - np.arange(width)[:, np.newaxis])).sum(axis=0)
    rest: Array = logs - 0.5 * width * np.log(freedom) + 0.5 * (spread - width / estimator.mean_precision_)
    return rest
