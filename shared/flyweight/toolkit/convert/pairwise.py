"""Convert models of kernel values at points that the plan holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.pairwise import KERNELS
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, dense
from flyweight.toolkit.convert.neighbors import search

Array = np.ndarray[Any, Any]
NAMES = {"polynomial": "poly"} | {name: name for name in KERNELS}


@converts("sklearn.Nystroem")
def nystroem(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to kernel values at a part of the training rows, times the root of their inverse.

    :raises ConversionRefused: its kernel has no conversion, or it was fitted on float32.
    """
    values = kernel(estimator, estimator.kernel, estimator.components_, estimator._get_kernel_params(), x, draft)
    return {"transform": draft.affine(values, estimator.normalization_)}


@converts("sklearn.KernelPCA")
def kernel_pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to kernel values at the training rows, centered, projected on the scaled eigenvectors.

    :raises ConversionRefused: its kernel has no conversion, or it was fitted on float32.
    """
    return {"transform": projected(estimator, kernel_values(estimator, x, draft), draft)}


def kernel_values(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the kernel values of a KernelPCA.

    :raises ConversionRefused: its kernel has no conversion, or it was fitted on float32.
    """
    if estimator.kernel == "precomputed":
        return x
    gamma = getattr(estimator, "gamma_", estimator.gamma)
    parameters = {"gamma": gamma, "coef0": estimator.coef0, "degree": estimator.degree}
    return kernel(estimator, estimator.kernel, estimator.X_fit_, parameters, x, draft)


def projected(estimator: Any, values: Value, draft: Draft) -> Value:
    """Add `KernelPCA.transform` of kernel values, with centering and projection as one weighted sum."""
    eigenvalues, vectors = np.asarray(estimator.eigenvalues_), np.asarray(estimator.eigenvectors_)
    scaled = np.zeros_like(vectors)
    alive = np.flatnonzero(eigenvalues)
    scaled[:, alive] = vectors[:, alive] / np.sqrt(eigenvalues[alive])
    centerer = estimator._centerer
    return _centered(centerer, scaled, values, draft)


def _centered(centerer: Any, right: Array, values: Value, draft: Draft) -> Value:
    """Add `KernelCenterer.transform(values) @ right`."""
    count = len(right)
    weights = (right - right.sum(axis=0) / count).T
    offset = (centerer.K_fit_all_ - np.asarray(centerer.K_fit_rows_)) @ right
    return draft.affine(values, weights, offset)


@converts("sklearn.KernelCenterer")
def kernel_centerer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to kernel values less their means."""
    return {"transform": _centered(estimator, np.eye(len(x.columns)), x, draft)}


@converts("sklearn.KernelRidge")
def kernel_ridge(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a weighted sum of kernel values.

    :raises ConversionRefused: its kernel has no conversion, or it was fitted on float32.
    """
    weights = np.asarray(estimator.dual_coef_, dtype=float)
    return {"values": draft.affine(kernel_values(estimator, x, draft), weights.reshape(len(weights), -1).T)}


@converts("sklearn.LabelPropagation", "sklearn.LabelSpreading")
def label_spreading(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the training rows' shares of classes, weighted by kernel values (`BaseLabelPropagation.predict_proba`).

    :raises ConversionRefused: its kernel is a function, or it was fitted on float32.
    """
    shares = np.asarray(estimator.label_distributions_, dtype=float)
    count = shares.shape[1]
    if estimator.kernel == "rbf":
        values = kernel(estimator, "rbf", estimator.X_, {"gamma": estimator.gamma}, x, draft)
        sums = draft.affine(values, shares.T)
    elif estimator.kernel == "knn":
        order, arrays, parameters = search(estimator.nn_fit, draft)
        arrays["targets"] = shares[order]
        sums = draft.add("neighbors.mean", x, columns=count, arrays=arrays, weights="uniform", **parameters)
    else:
        helps = "its kernel is a function, and a model file holds no code; use 'rbf' or 'knn'"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    probabilities = draft.add("pairwise.shares", sums, columns=count)
    return {"index": draft.argmax(probabilities), "probabilities": probabilities}


def kernel(estimator: Any, name: Any, points: Any, parameters: dict[str, Any] | None, x: Value, draft: Draft) -> Value:
    """Add the kernel values of a row at points.

    :param name: the name of the kernel.
    :param points: an array of shape (points, features), dense or sparse.
    :param parameters: gamma, coef0 and degree, if the estimator has them.
    :raises ConversionRefused: the kernel has no conversion, or the points are of float32.
    """
    points = dense(points)
    if (name not in NAMES and name != "cosine") or points.dtype == np.float32:
        helps = f"its kernel {name!r} has no conversion, or it was fitted on float32; known are {', '.join(NAMES)}, cosine"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    if name == "cosine":
        from sklearn.preprocessing import normalize

        x, points = draft.add("scale.normalize", x, columns=len(x.columns), norm="l2"), normalize(points)
    chosen = {key: value for key, value in (parameters or {}).items() if value is not None}
    gamma = chosen.get("gamma", 1.0 if name == "chi2" else 1.0 / len(x.columns))
    numbers = [gamma, chosen.get("coef0", 1.0), chosen.get("degree", 3.0)]
    arrays = {"points": points.astype(float), "parameters": np.array(numbers, dtype=float)}
    return draft.add("pairwise.kernel", x, columns=len(points), arrays=arrays, kernel=NAMES.get(name, "linear"))
