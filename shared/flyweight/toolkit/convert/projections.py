"""Projections: centered or not, scaled or not, then weighted sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


def _sums(x: Value, draft: Draft, weights: Any, intercept: Any = None) -> Value:
    """`weights @ x + intercept`, weights of shape (outputs, features), dense or sparse."""
    weights = np.asarray(weights.toarray() if hasattr(weights, "toarray") else weights, dtype=float)
    arrays = {"weights": weights, "intercept": np.zeros(len(weights)) if intercept is None else intercept}
    return draft.add("linear.affine", x, columns=len(weights), arrays=arrays)


def _centered(x: Value, draft: Draft, subtract: Any, divide: Any = None) -> Value:
    arrays = {"subtract": np.asarray(subtract, dtype=float)}
    if divide is not None:
        arrays["divide"] = np.asarray(divide, dtype=float)
    return draft.add("scale.center", x, columns=len(x.columns), arrays=arrays)


@converts("sklearn.PCA", "sklearn.IncrementalPCA")
def pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`components_ @ x - components_ @ mean_`, over the deviations if whitened (`_BasePCA._transform`).

    The division stands in the weights, so that parity judges by the terms that are summed.
    """
    weights = np.asarray(estimator.components_, dtype=float)
    offset = -(np.reshape(estimator.mean_, (1, -1)) @ weights.T)[0]
    if estimator.whiten:
        scale = np.maximum(np.sqrt(estimator.explained_variance_), np.finfo(float).eps)
        weights, offset = weights / scale[:, np.newaxis], offset / scale
    return {"transform": _sums(x, draft, weights, offset)}


@converts("sklearn.TruncatedSVD", "sklearn.GaussianRandomProjection", "sklearn.SparseRandomProjection")
def components(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`components_ @ x`."""
    return {"transform": _sums(x, draft, estimator.components_)}


@converts("sklearn.FastICA")
def fast_ica(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`components_ @ (x - mean_)`, uncentered if not whitened."""
    centered = _centered(x, draft, estimator.mean_) if estimator.whiten else x
    return {"transform": _sums(centered, draft, estimator.components_)}


@converts("sklearn.FactorAnalysis")
def factor_analysis(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The expected latent variables: `cov_z @ (components_ / noise_variance_) @ (x - mean_)`."""
    weighted = estimator.components_ / estimator.noise_variance_
    covariance = np.linalg.inv(np.eye(len(weighted)) + np.dot(weighted, estimator.components_.T))
    inner = _sums(_centered(x, draft, estimator.mean_), draft, weighted)
    return {"transform": _sums(inner, draft, covariance.T)}


@converts("sklearn.SparsePCA", "sklearn.MiniBatchSparsePCA")
def sparse_pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The ridge regression of `x - mean_` on the components, solved once for all rows."""
    weights = np.asarray(estimator.components_, dtype=float)
    inverse = np.linalg.inv(weights @ weights.T + estimator.ridge_alpha * np.eye(len(weights)))
    inner = _sums(_centered(x, draft, estimator.mean_), draft, weights)
    return {"transform": _sums(inner, draft, inverse)}


@converts("sklearn.PLSRegression", "sklearn.PLSCanonical", "sklearn.CCA")
def partial_least_squares(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`coef_ @ (x - mean) + intercept_` as a regressor; the scores of the scaled input as a transformer."""
    values = _sums(_centered(x, draft, estimator._x_mean), draft, estimator.coef_, np.ravel(estimator.intercept_))
    scaled = _centered(x, draft, estimator._x_mean, estimator._x_std)
    return {"values": values, "transform": _sums(scaled, draft, np.asarray(estimator.x_rotations_).T)}


@converts("sklearn.PLSSVD")
def pls_svd(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The scores of the scaled input."""
    scaled = _centered(x, draft, estimator._x_mean, estimator._x_std)
    return {"transform": _sums(scaled, draft, np.asarray(estimator.x_weights_).T)}


@converts("sklearn.RBFSampler")
def rbf_sampler(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`sqrt(2 / n) * cos(weights @ x + offset)`."""
    if np.asarray(estimator.random_weights_).dtype != np.float64:
        raise ConversionRefused(draft.path, "RBFSampler", "it was fitted on float32; fit it on float64")
    angles = _sums(x, draft, np.asarray(estimator.random_weights_).T, estimator.random_offset_)
    width = len(angles.columns)
    waves = draft.add("elementwise.apply", angles, columns=width, function="cos", takes="any", names=angles.names)
    arrays = {"multiply": [(2.0 / estimator.n_components) ** 0.5] * width, "add": [0.0] * width}
    return {"transform": draft.add("scale.stretch", waves, columns=width, arrays=arrays)}
