"""Nearest neighbors by every metric and every algorithm, fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.manifold import LocallyLinearEmbedding
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, StandardScaler

from tests.parity.tables import Table, binary, regression, three

Case = tuple[Any, Any]


def fitted(estimator: Any, table: Callable[[], Table]) -> Case:
    """The estimator on a table, which is its sample."""
    X, y = table()
    return clone(estimator).fit(X, y), X  # a second fit of the same object may warn


def of(estimator: Any, table: Callable[[], Table]) -> Callable[[], Case]:
    return partial(fitted, estimator, table)


def places() -> Table:
    """Latitudes and longitudes."""
    rng = np.random.default_rng(0)
    X = np.radians(np.column_stack([rng.uniform(-80, 80, 300), rng.uniform(-180, 180, 300)]))
    return X, (X[:, 0] > 0).astype(int)


def by(metric: str, **parameters: Any) -> Any:
    """A ball tree of small leaves, so that it is walked."""
    return KNeighborsClassifier(6, algorithm="ball_tree", leaf_size=4, metric=metric, **parameters)


COVARIANCE = np.cov(three()[0].T)
FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "balls": {
        "euclidean": of(by("euclidean", weights="distance"), three),
        "minkowski": of(by("minkowski", p=3), three),
        "minkowski-weighted": of(by("minkowski", p=1.5, metric_params={"w": np.array([1.0, 2.0, 0.5, 3.0])}), three),
        "seuclidean": of(by("seuclidean", metric_params={"V": three()[0].var(axis=0)}), three),
        "mahalanobis": of(by("mahalanobis", metric_params={"V": COVARIANCE}), three),
        "mahalanobis-inverse": of(by("mahalanobis", metric_params={"VI": np.linalg.inv(COVARIANCE)}, weights="distance"), three),
        "haversine": of(by("haversine", weights="distance"), places),
        "canberra": of(by("canberra", weights="distance"), three),
        "braycurtis": of(by("braycurtis", weights="distance"), three),
        "hamming": of(by("hamming"), three),
        **{
            metric: of(make_pipeline(StandardScaler(), Binarizer(threshold=0.5), by(metric)), binary)
            for metric in ("jaccard", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath", "dice")
        },
        "regressor": of(KNeighborsRegressor(5, algorithm="ball_tree", weights="distance"), regression),
        "radius": of(RadiusNeighborsRegressor(1.0, algorithm="ball_tree", leaf_size=5), three),
        "radius-canberra": of(RadiusNeighborsClassifier(0.5, metric="canberra", weights="distance", leaf_size=5), three),
        "radius-braycurtis": of(RadiusNeighborsClassifier(0.1, metric="braycurtis", outlier_label=0, leaf_size=5), three),
        "outliers": of(LocalOutlierFactor(novelty=True, algorithm="ball_tree"), three),
        "graph": of(KNeighborsTransformer(n_neighbors=4, metric="canberra"), three),
        "embedding": of(LocallyLinearEmbedding(neighbors_algorithm="ball_tree", random_state=0), three),
    },
    "brute": {
        "manhattan": of(KNeighborsClassifier(4, algorithm="brute", metric="manhattan", weights="distance"), binary),
        "cosine": of(KNeighborsClassifier(4, metric="cosine"), binary),
        "cosine-regressor": of(KNeighborsRegressor(3, metric="cosine"), regression),
        "correlation": of(KNeighborsClassifier(4, metric="correlation"), binary),
        "cosine-lengths": of(KNeighborsTransformer(n_neighbors=3, metric="cosine"), regression),
        "canberra": of(KNeighborsRegressor(4, algorithm="brute", metric="canberra", weights="distance"), regression),
        "sqeuclidean": of(KNeighborsRegressor(4, metric="sqeuclidean"), regression),
        "nan": of(KNeighborsClassifier(4, metric="nan_euclidean"), binary),
    },
}
