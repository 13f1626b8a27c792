"""Models of kernel values against points that travel with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.pairwise import KERNELS
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.neighbors import search

Array = np.ndarray[Any, Any]
NAMES = {"polynomial": "poly"} | {name: name for name in KERNELS}


@converts("sklearn.Nystroem")
def nystroem(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Kernel values against a part of the training rows, times the root of their inverse."""
    told = estimator._get_kernel_params()
    values = kernel(estimator, estimator.kernel, estimator.components_, told, x, draft)
    return {"transform": _sums(values, draft, estimator.normalization_)}


@converts("sklearn.KernelPCA")
def kernel_pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Kernel values against the training rows, centered, on the scaled eigenvectors."""
    return {"transform": projected(estimator, kernel_values(estimator, x, draft), draft)}


def kernel_values(estimator: Any, x: Value, draft: Draft) -> Value:
    """The kernel of a KernelPCA."""
    if estimator.kernel == "precomputed":
        return x
    gamma = getattr(estimator, "gamma_", estimator.gamma)
    told = {"gamma": gamma, "coef0": estimator.coef0, "degree": estimator.degree}
    return kernel(estimator, estimator.kernel, estimator.X_fit_, told, x, draft)


def projected(estimator: Any, values: Value, draft: Draft) -> Value:
    """`KernelPCA.transform` from kernel values on, centering and projection as one weighted sum."""
    eigenvalues, vectors = np.asarray(estimator.eigenvalues_), np.asarray(estimator.eigenvectors_)
    scaled = np.zeros_like(vectors)
    alive = np.flatnonzero(eigenvalues)
    scaled[:, alive] = vectors[:, alive] / np.sqrt(eigenvalues[alive])
    centerer = estimator._centerer
    return _centered(centerer, scaled, values, draft)


def _centered(centerer: Any, right: Array, values: Value, draft: Draft) -> Value:
    """`KernelCenterer.transform(values) @ right`."""
    count = len(right)
    weights = (right - right.sum(axis=0) / count).T
    offset = (centerer.K_fit_all_ - np.asarray(centerer.K_fit_rows_)) @ right
    return _sums(values, draft, weights, offset)


@converts("sklearn.KernelCenterer")
def kernel_centerer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Kernel values less their means."""
    return {"transform": _centered(estimator, np.eye(len(x.columns)), x, draft)}


@converts("sklearn.KernelRidge")
def kernel_ridge(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """A weighted sum of kernel values."""
    told = {"gamma": estimator.gamma, "coef0": estimator.coef0, "degree": estimator.degree}
    values = x if estimator.kernel == "precomputed" else kernel(estimator, estimator.kernel, estimator.X_fit_, told, x, draft)
    weights = np.asarray(estimator.dual_coef_, dtype=float)
    return {"values": _sums(values, draft, weights.reshape(len(weights), -1).T)}


@converts("sklearn.LabelPropagation", "sklearn.LabelSpreading")
def label_spreading(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The training rows' shares of classes, weighted by their kernel values (`BaseLabelPropagation.predict_proba`)."""
    shares = np.asarray(estimator.label_distributions_, dtype=float)
    count = shares.shape[1]
    if estimator.kernel == "rbf":
        values = kernel(estimator, "rbf", estimator.X_, {"gamma": estimator.gamma}, x, draft)
        sums = _sums(values, draft, shares.T)
    elif estimator.kernel == "knn":
        order, arrays, parameters = search(estimator.nn_fit, draft)
        arrays["targets"] = shares[order]
        sums = draft.add("neighbors.mean", x, columns=count, arrays=arrays, weights="uniform", **parameters)
    else:
        helps = "its kernel is a function, and a model file carries no code; use 'rbf' or 'knn'"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    told = draft.add("pairwise.shares", sums, columns=count)
    return {"index": draft.add("labels.argmax", told, columns=1, widths=[count]), "probabilities": told}


def kernel(estimator: Any, name: Any, points: Any, told: dict[str, Any] | None, x: Value, draft: Draft) -> Value:
    """Kernel values of the row against points of shape (points, features); `told` has gamma, coef0 and degree, if any.

    :raises ConversionRefused: the kernel is not one of those in the table, or points are not float64.
    """
    points = points.toarray() if hasattr(points, "toarray") else np.asarray(points)
    if (name not in NAMES and name != "cosine") or points.dtype == np.float32:
        helps = f"its kernel {name!r} has no conversion, or it was fitted on float32; known are {', '.join(NAMES)}, cosine"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    if name == "cosine":
        from sklearn.preprocessing import normalize

        x, points = draft.add("scale.normalize", x, columns=len(x.columns), norm="l2"), normalize(points)
    given = {key: value for key, value in (told or {}).items() if value is not None}
    gamma = given.get("gamma", 1.0 if name == "chi2" else 1.0 / len(x.columns))
    numbers = [gamma, given.get("coef0", 1.0), given.get("degree", 3.0)]
    arrays = {"points": points.astype(float), "parameters": np.array(numbers, dtype=float)}
    return draft.add("pairwise.kernel", x, columns=len(points), arrays=arrays, kernel=NAMES.get(name, "linear"))


def _sums(x: Value, draft: Draft, weights: Any, intercept: Any = None) -> Value:
    """`weights @ x + intercept`, weights of shape (outputs, columns)."""
    weights = np.asarray(weights, dtype=float)
    arrays = {"weights": weights, "intercept": np.zeros(len(weights)) if intercept is None else intercept}
    return draft.add("linear.affine", x, columns=len(weights), arrays=arrays)
