"""Transformers, selections and projections in many configurations, fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import PCA, FactorAnalysis, FastICA, IncrementalPCA, MiniBatchSparsePCA, SparsePCA, TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.feature_selection import (
    RFE,
    RFECV,
    GenericUnivariateSelect,
    SelectFdr,
    SelectFpr,
    SelectFromModel,
    SelectFwe,
    SelectKBest,
    SelectPercentile,
    SequentialFeatureSelector,
    VarianceThreshold,
    f_regression,
)
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import RBFSampler
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.parity.cases import Case, after, of
from tests.parity.tables import Table, binary, holes, regression, several, three, words


def one_column() -> Table:
    X, y = regression()
    return X[["bmi"]].to_numpy() if hasattr(X, "columns") else X[:, 2:3], y


def sorts() -> Table:
    """Words, and three classes."""
    X, y = words()
    return X, np.digitize(y, [2.0, 4.0])


FUNCTIONS: list[Any] = [
    *(np.abs, np.ceil, np.cos, np.floor, np.log, np.log10, np.log1p, np.log2),
    *(np.negative, np.sign, np.sin, np.sqrt, np.square, np.tanh, np.exp, np.expm1, expit),
]

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "select": {
        "k-best": after(SelectKBest(f_regression, k=4)),
        "k-best-classes": after(SelectKBest(k=2), three, DecisionTreeClassifier()),
        "percentile": after(SelectPercentile(f_regression, percentile=30)),
        "fpr": after(SelectFpr(f_regression)),
        "fdr": after(SelectFdr(f_regression)),
        "fwe": after(SelectFwe(f_regression)),
        "generic": after(GenericUnivariateSelect(f_regression, mode="k_best", param=3)),
        "variance": of(VarianceThreshold(1.0), regression),
        "from-model": after(SelectFromModel(DecisionTreeRegressor(random_state=0))),
        "from-linear": after(SelectFromModel(Ridge(), max_features=3)),
        "rfe": of(RFE(Ridge(), n_features_to_select=3), regression),
        "rfe-step": after(RFE(DecisionTreeRegressor(random_state=0), n_features_to_select=5)),
        "rfe-classes": of(make_pipeline(StandardScaler(), RFE(LogisticRegression(), n_features_to_select=4)), binary),
        "rfecv": of(RFECV(DecisionTreeClassifier(random_state=0), cv=3), three),
        "sequential": after(SequentialFeatureSelector(Ridge(), n_features_to_select=2, cv=2)),
    },
    "isotonic": {
        "scaled": of(make_pipeline(StandardScaler(), IsotonicRegression(out_of_bounds="clip")), one_column),
        "clip": of(IsotonicRegression(out_of_bounds="clip"), one_column),
        "nan": of(IsotonicRegression(), one_column),
        "raise": of(IsotonicRegression(out_of_bounds="raise"), one_column),
        "falling": of(IsotonicRegression(increasing=False, y_min=100, out_of_bounds="clip"), one_column),
    },
    "projection": {
        "pca": after(PCA(4)),
        "pca-whiten": after(PCA(whiten=True)),
        "pca-transform": of(make_pipeline(StandardScaler(), PCA(0.9)), regression),
        "pca-tree": after(PCA(3), last=DecisionTreeRegressor(max_depth=4)),
        "incremental": after(IncrementalPCA(3, batch_size=50)),
        "incremental-whiten": of(IncrementalPCA(3, whiten=True), three),
        "svd": after(TruncatedSVD(3, random_state=0)),
        "ica": after(make_pipeline(StandardScaler(), FastICA(3, random_state=0))),
        "ica-arbitrary": of(FastICA(2, whiten="arbitrary-variance", random_state=0), three),
        "factors": of(make_pipeline(StandardScaler(), FactorAnalysis(3, random_state=0)), regression),
        "factors-lapack": of(FactorAnalysis(2, svd_method="lapack"), three),
        "gaussian": after(GaussianRandomProjection(4, random_state=0)),
        "sparse": after(SparseRandomProjection(5, random_state=0)),
        "sparse-dense": of(SparseRandomProjection(3, dense_output=True, density=0.5, random_state=0), three),
        "sparse-pca": after(SparsePCA(3, random_state=0, max_iter=20)),
        "sparse-pca-mini": of(make_pipeline(StandardScaler(), MiniBatchSparsePCA(2, random_state=0, max_iter=20)), regression),
        "tfidf": of(TfidfTransformer(), three),
        "tfidf-plain": of(TfidfTransformer(norm="l1", use_idf=False), three),
        "tfidf-counts": after(TfidfTransformer(norm=None), three),
        "rbf": after(make_pipeline(StandardScaler(), RBFSampler(n_components=20, random_state=0))),
        "rbf-scale": of(RBFSampler(gamma="scale", n_components=5, random_state=0), three),
    },
    "pls": {
        "regression": of(PLSRegression(3), regression),
        "regression-two": of(PLSRegression(2, scale=False), several),
        "canonical": of(PLSCanonical(2), several),
        "cca": of(CCA(1), several),
        "svd": of(PLSSVD(2), several),
    },
    "elementwise": {
        **{f"function-{f.__name__}": of(FunctionTransformer(f), regression) for f in FUNCTIONS},
        **{f"ridge-{f.__name__}": after(FunctionTransformer(f)) for f in (np.log1p, np.log, np.sqrt, np.tanh)},
        "function-forest": after(FunctionTransformer(np.log), last=RandomForestRegressor(5, random_state=0)),
        "function-hist": after(FunctionTransformer(np.log), last=HistGradientBoostingRegressor(max_iter=5)),
        "function-twice": after(make_pipeline(FunctionTransformer(np.abs), FunctionTransformer(np.log1p), StandardScaler())),
        "function-scaled": after(make_union(make_pipeline(FunctionTransformer(np.log), StandardScaler()), "passthrough")),
        "function-imputed": after(make_pipeline(FunctionTransformer(np.log1p), SimpleImputer(), FunctionTransformer(np.abs))),
        "binarizer": after(Binarizer(threshold=50)),
        "binarizer-zero": of(make_pipeline(StandardScaler(), Binarizer()), regression),
        "missing": of(MissingIndicator(), holes),
        "missing-all": of(MissingIndicator(features="all"), holes),
        "yeo-johnson": after(PowerTransformer()),
        "yeo-johnson-plain": of(make_pipeline(StandardScaler(), PowerTransformer(standardize=False)), regression),
        "box-cox": after(PowerTransformer("box-cox")),
        "box-cox-plain": of(PowerTransformer("box-cox", standardize=False), three),
    },
    "quantiles": {
        "uniform": after(QuantileTransformer(n_quantiles=50)),
        "uniform-plain": of(QuantileTransformer(n_quantiles=1000), three),
        "uniform-missing": of(
            make_pipeline(QuantileTransformer(n_quantiles=100), HistGradientBoostingRegressor(max_iter=5)), holes
        ),
        "normal": after(QuantileTransformer(n_quantiles=100, output_distribution="normal")),
        "normal-plain": of(QuantileTransformer(n_quantiles=300, output_distribution="normal"), regression),
    },
    "target-encoder": {
        "numbers": after(TargetEncoder(), words),
        "plain": of(TargetEncoder(smooth=5.0), words),
        "classes": of(make_pipeline(TargetEncoder(), DecisionTreeClassifier(max_depth=4)), sorts),
        "two-classes": of(TargetEncoder(), lambda: (words()[0], words()[1] > 3)),
    },
}
