"""Convert naive Bayes classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


def most_likely(likelihoods: Value, draft: Draft) -> Outputs:
    """Add the class of the highest log-likelihood, and the softmax of all."""
    index = draft.argmax(likelihoods)
    return {"index": index, "probabilities": draft.add("links.softmax", likelihoods, columns=len(likelihoods.columns))}


@converts("sklearn.GaussianNB")
def gaussian(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one Gaussian a class, of independent features.

    :raises ConversionRefused: a feature does not vary within a class.
    """
    variances = np.asarray(estimator.var_, dtype=float)
    if not (variances > 0).all():
        helps = "a feature does not vary within a class; drop it, or fit with a larger var_smoothing"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    with np.errstate(divide="ignore"):
        constants = np.log(estimator.class_prior_) - 0.5 * np.log(2.0 * np.pi * variances).sum(axis=1)
    arrays = {"means": np.asarray(estimator.theta_, dtype=float), "variances": variances, "constants": constants}
    return most_likely(draft.add("gaussian.diagonal", x, columns=len(constants), arrays=arrays), draft)


@converts("sklearn.MultinomialNB", "sklearn.ComplementNB")
def multinomial(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to log-probabilities weighted by the counts; ComplementNB adds the prior only if it has one class."""
    weights = np.asarray(estimator.feature_log_prob_, dtype=float)
    with_prior = type(estimator).__name__ == "MultinomialNB" or len(estimator.classes_) == 1
    prior = np.asarray(estimator.class_log_prior_, dtype=float) if with_prior else None
    return most_likely(draft.affine(x, weights, prior), draft)


@converts("sklearn.BernoulliNB")
def bernoulli(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to log-probabilities of features that are present or absent, by the threshold `binarize`."""
    width = len(x.columns)
    if estimator.binarize is not None:
        for position in range(width):
            draft.note_edges(x, position, np.array([float(estimator.binarize)]))
        arrays = {"edges": [np.nextafter(float(estimator.binarize), np.inf)] * width, "starts": range(width + 1)}
        x = draft.add("bins.digitize", x, columns=width, arrays=arrays)
    present = estimator.feature_log_prob_
    absent = np.log(1 - np.exp(present))
    intercept = np.asarray(estimator.class_log_prior_ + absent.sum(axis=1), dtype=float)
    return most_likely(draft.affine(x, present - absent, intercept), draft)


@converts("sklearn.CategoricalNB")
def categorical(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one table of log-probabilities a feature."""
    tables = [np.asarray(table, dtype=float).T for table in estimator.feature_log_prob_]
    for position, table in enumerate(tables):
        draft.note_categories(x, position, list(range(len(table))))
    arrays = {
        "tables": np.vstack(tables),
        "starts": np.cumsum([0, *map(len, tables)]),
        "prior": np.asarray(estimator.class_log_prior_, dtype=float),
    }
    count = len(estimator.classes_)
    return most_likely(draft.add("categories.log_sums", x, columns=count, arrays=arrays, names=x.names), draft)
