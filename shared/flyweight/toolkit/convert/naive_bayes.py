"""Naive Bayes."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


def most_likely(likelihoods: Value, draft: Draft) -> Outputs:
    """The class of the highest log-likelihood, and their softmax."""
    count = len(likelihoods.columns)
    index = draft.add("labels.argmax", likelihoods, columns=1, widths=[count])
    return {"index": index, "probabilities": draft.add("links.softmax", likelihoods, columns=count)}


@converts("sklearn.GaussianNB")
def gaussian(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One Gaussian a class, its features independent."""
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
    """Log-probabilities weighted by the counts; ComplementNB adds the prior only where it has one class."""
    weights = np.asarray(estimator.feature_log_prob_, dtype=float)
    plain = type(estimator).__name__ == "MultinomialNB" or len(estimator.classes_) == 1
    prior = estimator.class_log_prior_ if plain else np.zeros(len(weights))
    return _weighted(x, draft, weights, prior)


@converts("sklearn.BernoulliNB")
def bernoulli(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each feature is there or not, by the threshold `binarize`."""
    width = len(x.columns)
    if estimator.binarize is not None:
        for position in range(width):
            draft.note_edges(x, position, np.array([float(estimator.binarize)]))
        arrays = {"edges": [np.nextafter(float(estimator.binarize), np.inf)] * width, "starts": range(width + 1)}
        x = draft.add("bins.digitize", x, columns=width, arrays=arrays)
    there = estimator.feature_log_prob_
    absent = np.log(1 - np.exp(there))
    return _weighted(x, draft, there - absent, estimator.class_log_prior_ + absent.sum(axis=1))


@converts("sklearn.CategoricalNB")
def categorical(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One table of log-probabilities a feature."""
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


def _weighted(x: Value, draft: Draft, weights: Any, intercept: Any) -> Outputs:
    arrays = {"weights": np.asarray(weights, dtype=float), "intercept": np.asarray(intercept, dtype=float)}
    return most_likely(draft.add("linear.affine", x, columns=len(weights), arrays=arrays), draft)
