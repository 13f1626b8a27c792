"""Convert projections: centered or not, scaled or not, then weighted sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.approximations import waves
from flyweight.toolkit.convert.draft import Draft, Outputs, Value


def _centered(x: Value, draft: Draft, subtract: Any, divide: Any = None) -> Value:
    """Add `(x - subtract) / divide`."""
    arrays = {"subtract": np.asarray(subtract, dtype=float)}
    if divide is not None:
        arrays["divide"] = np.asarray(divide, dtype=float)
    return draft.add("scale.center", x, columns=len(x.columns), arrays=arrays)


@converts("sklearn.PCA", "sklearn.IncrementalPCA")
def pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `components_ @ x - components_ @ mean_`, over the deviations if whitened (`_BasePCA._transform`).

    The weights include the division, so that parity judges by the summed terms.
    """
    weights = np.asarray(estimator.components_, dtype=float)
    offset = -(np.reshape(estimator.mean_, (1, -1)) @ weights.T)[0]
    if estimator.whiten:
        scale = np.maximum(np.sqrt(estimator.explained_variance_), np.finfo(float).eps)
        weights, offset = weights / scale[:, np.newaxis], offset / scale
    return {"transform": draft.affine(x, weights, offset)}


@converts("sklearn.TruncatedSVD", "sklearn.GaussianRandomProjection", "sklearn.SparseRandomProjection")
def components(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `components_ @ x`."""
    return {"transform": draft.affine(x, estimator.components_)}


@converts("sklearn.FastICA")
def fast_ica(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `components_ @ (x - mean_)`; without whitening the mean is not subtracted."""
    centered = _centered(x, draft, estimator.mean_) if estimator.whiten else x
    return {"transform": draft.affine(centered, estimator.components_)}


@converts("sklearn.FactorAnalysis")
def factor_analysis(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the expected latent variables: `cov_z @ (components_ / noise_variance_) @ (x - mean_)`."""
    weighted = estimator.components_ / estimator.noise_variance_
    covariance = np.linalg.inv(np.eye(len(weighted)) + np.dot(weighted, estimator.components_.T))
    inner = draft.affine(_centered(x, draft, estimator.mean_), weighted)
    return {"transform": draft.affine(inner, covariance.T)}


@converts("sklearn.SparsePCA", "sklearn.MiniBatchSparsePCA")
def sparse_pca(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the ridge regression of `x - mean_` on the components, solved once for all rows."""
    weights = np.asarray(estimator.components_, dtype=float)
    inverse = np.linalg.inv(weights @ weights.T + estimator.ridge_alpha * np.eye(len(weights)))
    inner = draft.affine(_centered(x, draft, estimator.mean_), weights)
    return {"transform": draft.affine(inner, inverse)}


@converts("sklearn.PLSRegression", "sklearn.PLSCanonical", "sklearn.CCA")
def partial_least_squares(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `coef_ @ (x - mean) + intercept_` as a regressor; as a transformer to the scores of the scaled input."""
    scaled = _centered(x, draft, estimator._x_mean, estimator._x_std)
    of_scaled = estimator.x_rotations_ @ estimator.y_loadings_.T * estimator._y_std
    # before scikit-learn 1.5 the coefficients are those of the scaled input
    older = np.allclose(estimator.coef_, of_scaled.T, rtol=1e-9, atol=0.0)
    read = scaled if older else _centered(x, draft, estimator._x_mean)
    values = draft.affine(read, estimator.coef_, np.ravel(estimator.intercept_))
    return {"values": values, "transform": draft.affine(scaled, np.asarray(estimator.x_rotations_).T)}


@converts("sklearn.PLSSVD")
def pls_svd(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the scores of the scaled input."""
    scaled = _centered(x, draft, estimator._x_mean, estimator._x_std)
    return {"transform": draft.affine(scaled, np.asarray(estimator.x_weights_).T)}


@converts("sklearn.RBFSampler")
def rbf_sampler(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `sqrt(2 / n) * cos(weights @ x + offset)`.

    :raises ConversionRefused: it was fitted on float32.
    """
    draft.expect_double(estimator, estimator.random_weights_)
    angles = draft.affine(x, np.asarray(estimator.random_weights_).T, estimator.random_offset_)
    return {"transform": waves(angles, (2.0 / estimator.n_components) ** 0.5, draft)}
