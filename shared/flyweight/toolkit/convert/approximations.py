"""Convert approximated kernels, and other projections that are one weighted sum and a known function."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value

INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}  # AdditiveChi2Sampler's defaults by its steps


@converts("sklearn.AdditiveChi2Sampler")
def additive_chi2(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to roots and waves of each number."""
    steps = int(estimator.sample_steps)
    interval = INTERVALS[steps] if estimator.sample_interval is None else float(estimator.sample_interval)
    columns = len(x.columns) * (2 * steps - 1)
    arrays = {"interval": [interval]}
    return {"transform": draft.add("approximations.additive_chi2", x, columns=columns, arrays=arrays, steps=steps, names=x.names)}


@converts("sklearn.SkewedChi2Sampler")
def skewed_chi2(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `sqrt(2 / n) * cos(weights @ log(x + skewedness) + offset)`.

    :raises ConversionRefused: it was fitted on float32.
    """
    draft.expect_double(estimator, estimator.random_weights_)
    moved = draft.stretch(x, 1.0, float(estimator.skewedness))
    logs = draft.add("elementwise.apply", moved, columns=len(x.columns), function="log", takes="finite", names=x.names)
    angles = draft.affine(logs, np.asarray(estimator.random_weights_).T, estimator.random_offset_)
    return {"transform": waves(angles, float(np.sqrt(2.0) / np.sqrt(estimator.n_components)), draft)}


def waves(angles: Value, factor: float, draft: Draft) -> Value:
    """Add `factor * cos(angle)` of each angle."""
    count = len(angles.columns)
    cosines = draft.add("elementwise.apply", angles, columns=count, function="cos", takes="any", names=angles.names)
    return draft.stretch(cosines, factor)


@converts("sklearn.PolynomialCountSketch")
def count_sketch(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the product of count sketches, by multiplication; scikit-learn uses Fourier transforms."""
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
    """Convert to `components_ @ x`."""
    return {"transform": draft.affine(x, estimator.components_)}


@converts("sklearn.BernoulliRBM")
def boltzmann(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the hidden units' probabilities.

    :raises ConversionRefused: it was fitted on float32.
    """
    draft.expect_double(estimator, estimator.components_)
    sums = draft.affine(x, estimator.components_, estimator.intercept_hidden_)
    return {"transform": draft.add("activations.logistic", sums, columns=len(sums.columns))}


@converts("sklearn.FeatureAgglomeration")
def agglomeration(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of each cluster of features.

    :raises ConversionRefused: it pools by another function than np.mean.
    """
    if estimator.pooling_func is not np.mean:
        helps = "its pooling_func is code, and a model file holds no code; use np.mean"
        raise ConversionRefused(draft.path, "FeatureAgglomeration", helps)
    labels = np.asarray(estimator.labels_)
    members = np.equal.outer(np.arange(labels.max() + 1), labels)
    return {"transform": draft.affine(x, members / members.sum(axis=1, keepdims=True))}
