"""Approximated kernels, and other projections that are one weighted sum and a known function."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value

INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}  # of AdditiveChi2Sampler, by its steps


@converts("sklearn.AdditiveChi2Sampler")
def additive_chi2(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Roots and waves of each number."""
    steps = int(estimator.sample_steps)
    interval = INTERVALS[steps] if estimator.sample_interval is None else float(estimator.sample_interval)
    columns = len(x.columns) * (2 * steps - 1)
    arrays = {"interval": [interval]}
    return {"transform": draft.add("approximations.additive_chi2", x, columns=columns, arrays=arrays, steps=steps, names=x.names)}


@converts("sklearn.SkewedChi2Sampler")
def skewed_chi2(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`sqrt(2 / n) * cos(weights @ log(x + skewedness) + offset)`."""
    _expect_double(estimator.random_weights_, estimator, draft)
    width = len(x.columns)
    arrays = {"multiply": [1.0] * width, "add": [float(estimator.skewedness)] * width}
    moved = draft.add("scale.stretch", x, columns=width, arrays=arrays)
    logs = draft.add("elementwise.apply", moved, columns=width, function="log", takes="finite", names=x.names)
    weights = {"weights": np.asarray(estimator.random_weights_).T, "intercept": estimator.random_offset_}
    count = len(weights["intercept"])
    angles = draft.add("linear.affine", logs, columns=count, arrays=weights)
    waves = draft.add("elementwise.apply", angles, columns=count, function="cos", takes="any", names=angles.names)
    arrays = {"multiply": [float(np.sqrt(2.0) / np.sqrt(estimator.n_components))] * count, "add": [0.0] * count}
    return {"transform": draft.add("scale.stretch", waves, columns=count, arrays=arrays)}


@converts("sklearn.PolynomialCountSketch")
def count_sketch(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The product of count sketches, by multiplication where scikit-learn takes Fourier's way."""
    arrays: dict[str, Any] = {
        "index": np.asarray(estimator.indexHash_),
        "sign": np.asarray(estimator.bitHash_, dtype=float),
        "factor": [float(np.sqrt(estimator.gamma))],
    }
    if estimator.coef0 != 0:
        arrays["constant"] = [float(np.sqrt(estimator.coef0))]
    width = int(estimator.n_components)
    return {"transform": draft.add("approximations.sketch", x, columns=width, arrays=arrays, width=width)}


@converts("sklearn.NeighborhoodComponentsAnalysis")
def neighborhood_components(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """`components_ @ x`."""
    return {"transform": _sums(x, draft, np.asarray(estimator.components_))}


@converts("sklearn.BernoulliRBM")
def boltzmann(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The hidden units' probabilities."""
    _expect_double(estimator.components_, estimator, draft)
    sums = _sums(x, draft, np.asarray(estimator.components_), np.asarray(estimator.intercept_hidden_))
    return {"transform": draft.add("activations.logistic", sums, columns=len(sums.columns))}


@converts("sklearn.FeatureAgglomeration")
def agglomeration(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The mean of each cluster of features."""
    if estimator.pooling_func is not np.mean:
        helps = "its pooling_func is code, and a model file carries none; use np.mean"
        raise ConversionRefused(draft.path, "FeatureAgglomeration", helps)
    labels = np.asarray(estimator.labels_)
    members = np.equal.outer(np.arange(labels.max() + 1), labels)
    return {"transform": _sums(x, draft, members / members.sum(axis=1, keepdims=True))}


def _sums(x: Value, draft: Draft, weights: Any, intercept: Any = None) -> Value:
    arrays = {"weights": weights.astype(float), "intercept": np.zeros(len(weights)) if intercept is None else intercept}
    return draft.add("linear.affine", x, columns=len(weights), arrays=arrays)


def _expect_double(array: Any, estimator: Any, draft: Draft) -> None:
    if np.asarray(array).dtype != np.float64:
        raise ConversionRefused(draft.path, type(estimator).__name__, "it was fitted on float32; fit it on float64")
