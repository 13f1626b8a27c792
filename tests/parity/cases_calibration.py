"""Kernels, graphs, splines, codes and imputers in many configurations, fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.cluster import FeatureAgglomeration
from sklearn.decomposition import (
    DictionaryLearning,
    KernelPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    SparseCoder,
)
from sklearn.ensemble import RandomForestRegressor, RandomTreesEmbedding
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.gaussian_process.kernels import Matern, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.kernel_approximation import AdditiveChi2Sampler, Nystroem, PolynomialCountSketch, SkewedChi2Sampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import Isomap, LocallyLinearEmbedding
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import (
    KNeighborsTransformer,
    NeighborhoodComponentsAnalysis,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KernelCenterer, MinMaxScaler, SplineTransformer, StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.tree import DecisionTreeRegressor

from tests.parity.cases import Case, after, fitted, of
from tests.parity.cases_text import texts
from tests.parity.tables import Table, holes, regression, several, three


def scaled() -> Table:
    """Three classes, from 0 to 1, a third of them unlabelled."""
    X, y = three()
    return MinMaxScaler().fit_transform(X), np.where(np.arange(len(y)) % 3, y, -1)


def third() -> Table:
    """Three classes, every third row: a process costs the square of its rows."""
    X, y = three()
    return np.tile(X[::3], (2, 1)), np.tile(y[::3], 2)


def two_of_three() -> Table:
    X, y = three()
    return X[50:], y[50:]


def kernel_matrix() -> Table:
    X, y = regression()
    return rbf_kernel(X[:120], X[:120], gamma=1e-4), y[:120]


def whole() -> Table:
    """Counts, and whole-number targets."""
    X, y = three()
    return np.round(X * 3), y


def coder(**parameters: Any) -> Callable[[], Case]:
    atoms = np.random.default_rng(0).normal(size=(6, 10))
    return lambda: fitted(SparseCoder(atoms, **parameters), regression())


def after_scaling(transformer: Any) -> Callable[[], Case]:
    return after(make_pipeline(StandardScaler(), transformer))


def spline(**parameters: Any) -> Callable[[], Case]:
    return of(SplineTransformer(**parameters), three)


def classes(imputer: Any) -> Any:
    """An imputer between a scaler and a classifier."""
    return make_pipeline(StandardScaler(), imputer, LogisticRegression())


KERNELS = ("linear", "poly", "rbf", "sigmoid", "cosine")

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "pairwise": {
        **{f"kernel-pca-{kernel}": after_scaling(KernelPCA(3, kernel=kernel)) for kernel in KERNELS},
        "kernel-pca-gamma": of(KernelPCA(2, kernel="rbf", gamma=0.2), three),
        "nystroem": after_scaling(Nystroem(n_components=30, random_state=0)),
        "nystroem-laplacian": of(Nystroem("laplacian", n_components=10, gamma=0.5, random_state=0), three),
        "nystroem-poly": of(make_pipeline(StandardScaler(), Nystroem("poly", degree=2, n_components=10, random_state=0)), three),
        "ridge": of(KernelRidge(), three),
        "ridge-rbf": of(make_pipeline(StandardScaler(), KernelRidge(kernel="rbf", gamma=0.1)), regression),
        "ridge-two": of(make_pipeline(StandardScaler(), KernelRidge(kernel="polynomial", degree=2)), several),
        "ridge-laplacian": of(KernelRidge(kernel="laplacian", gamma=0.1), three),
        "centerer": of(KernelCenterer(), kernel_matrix),
        "label-propagation": of(LabelPropagation(gamma=5), scaled),
        "nystroem-chi2": of(Nystroem("chi2", n_components=10, random_state=0), three),
        "ridge-additive-chi2": of(KernelRidge(kernel="additive_chi2"), three),
        "label-neighbors": of(LabelPropagation("knn", n_neighbors=5), scaled),
        "process": of(GaussianProcessClassifier(), two_of_three),
        "process-pairs": of(GaussianProcessClassifier(Matern(nu=1.5) + WhiteKernel(), multi_class="one_vs_one"), third),
        "label-spreading": of(LabelSpreading(gamma=20, alpha=0.4), scaled),
    },
    "approximations": {
        "components": of(NeighborhoodComponentsAnalysis(2, random_state=0, max_iter=20), three),
        "additive-chi2": of(AdditiveChi2Sampler(), three),
        "additive-chi2-steps": of(make_pipeline(MinMaxScaler(clip=True), AdditiveChi2Sampler(sample_steps=3)), regression),
        "additive-chi2-interval": of(AdditiveChi2Sampler(sample_steps=4, sample_interval=0.3), three),
        "skewed-chi2": of(SkewedChi2Sampler(skewedness=0.5, n_components=20, random_state=0), three),
        "sketch": of(PolynomialCountSketch(degree=3, coef0=1, n_components=30, random_state=0), three),
        "sketch-gamma": after_scaling(PolynomialCountSketch(gamma=0.5, n_components=50, random_state=0)),
        "boltzmann": of(make_pipeline(MinMaxScaler(), BernoulliRBM(8, random_state=0, n_iter=3)), three),
        "agglomeration": after_scaling(FeatureAgglomeration(4)),
    },
    "graphs": {
        "neighbors": of(KNeighborsTransformer(n_neighbors=4), three),
        "neighbors-connected": of(KNeighborsTransformer(mode="connectivity", metric="manhattan"), three),
        "radius": of(RadiusNeighborsTransformer(radius=0.7), three),
        "isomap": of(Isomap(n_components=3), three),
        "isomap-scaled": of(make_pipeline(StandardScaler(), Isomap(n_neighbors=8)), three),
        "embedding": of(LocallyLinearEmbedding(n_neighbors=12, n_components=3, random_state=0), three),
        "embedding-scaled": of(make_pipeline(StandardScaler(), LocallyLinearEmbedding(n_neighbors=8, random_state=0)), three),
        "radius-classes": of(RadiusNeighborsClassifier(1.0, outlier_label="most_frequent"), three),
        "radius-whole": of(RadiusNeighborsRegressor(1.0), whole),
        "radius-weights": of(RadiusNeighborsRegressor(1.0, weights="distance"), three),
    },
    "splines": {
        "cubic": after(SplineTransformer()),
        "few": spline(n_knots=2, degree=1),
        "quantiles": spline(knots="quantile", n_knots=8, include_bias=False),
        "linear": spline(extrapolation="linear"),
        "linear-square": spline(extrapolation="linear", degree=2, include_bias=False),
        "continue": spline(extrapolation="continue", degree=2),
        "continue-steps": spline(extrapolation="continue", degree=0),
        "error": spline(extrapolation="error"),
        "periodic": spline(extrapolation="periodic"),
        "periodic-square": spline(extrapolation="periodic", degree=2, n_knots=7),
        "zeros": of(SplineTransformer(handle_missing="zeros"), holes),
        "wide": spline(degree=5, sparse_output=True),
    },
    "codes": {
        "dictionary": of(DictionaryLearning(6, transform_n_nonzero_coefs=3, random_state=0, max_iter=5), regression),
        "mini-batch": of(MiniBatchDictionaryLearning(5, random_state=0, max_iter=5), three),
        "threshold": coder(transform_algorithm="threshold", transform_alpha=5.0),
        "threshold-positive": coder(transform_algorithm="threshold", positive_code=True),
        "threshold-split": coder(transform_algorithm="threshold", split_sign=True),
        "path": coder(transform_algorithm="lasso_lars", transform_alpha=2.0),
        "path-positive": coder(transform_algorithm="lasso_lars", positive_code=True, split_sign=True),
        "path-of-few": coder(transform_algorithm="lars", transform_n_nonzero_coefs=3),
        "pursuit": coder(transform_n_nonzero_coefs=4),
        "topics": of(LatentDirichletAllocation(4, random_state=0, max_iter=3), whole),
        "topics-of-texts": of(make_pipeline(CountVectorizer(), LatentDirichletAllocation(3, random_state=0, max_iter=2)), texts),
        "trees": of(RandomTreesEmbedding(15, random_state=0), three),
        "trees-linear": after(RandomTreesEmbedding(10, max_depth=3, random_state=0)),
        "trees-classes": of(make_pipeline(RandomTreesEmbedding(10, random_state=0), LogisticRegression()), three),
    },
    "imputers": {
        "nearest": of(KNNImputer(), holes),
        "nearest-flags": of(classes(KNNImputer(n_neighbors=3, add_indicator=True)), holes),
        "iterative": of(IterativeImputer(max_iter=4, random_state=0), holes),
        "iterative-bounds": of(IterativeImputer(max_iter=2, min_value=0, max_value=100, initial_strategy="median"), holes),
        "iterative-flags": of(classes(IterativeImputer(max_iter=2, add_indicator=True)), holes),
        "iterative-tree": of(IterativeImputer(DecisionTreeRegressor(max_depth=4, random_state=0), max_iter=2), holes),
        "iterative-forest": of(IterativeImputer(RandomForestRegressor(3, max_depth=4, random_state=0), max_iter=1), holes),
    },
}
