"""Every family in many configurations, fitted; the parity tests run them on some rows, `benchmarks/parity.py` on 100,000."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from tests.parity.tables import (
    Table,
    binary,
    categorical_frame,
    categorical_numbers,
    empty_column,
    holes,
    mixed,
    regression,
    several,
    several_classes,
    three,
    words,
)

Case = tuple[Any, Any]  # a fitted estimator, and the sample that it is packed with


def fitted(estimator: Any, table: Table) -> Case:
    X, y = table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, y), X


def after(transformer: Any, table: Callable[[], Table] = regression, last: Any = None) -> Callable[[], Case]:
    """Put the transformer before a linear model, so that every column matters."""
    return lambda: fitted(make_pipeline(transformer, Ridge() if last is None else last), table())


def of(estimator: Any, table: Callable[[], Table]) -> Callable[[], Case]:
    return lambda: fitted(estimator, table())


def on_numbers(transformer: Any) -> Any:
    return make_pipeline(SimpleImputer(), transformer)


def encoded(encoder: Any) -> Callable[[], Case]:
    return after(encoder, words)


def penguin_pipeline(last: Any) -> Callable[[], Case]:
    text = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    select = make_column_transformer(
        (text, make_column_selector(dtype_exclude="number")), (numbers, make_column_selector(dtype_include="number"))
    )
    return of(make_pipeline(select, last), mixed)


SGD: dict[str, Any] = {"random_state": 0, "max_iter": 50, "tol": None}
FOREST: dict[str, Any] = {"n_estimators": 25, "random_state": 0}
BOOST: dict[str, Any] = {"n_estimators": 25, "random_state": 0}
HIST: dict[str, Any] = {"max_iter": 25, "random_state": 0}
scaled = StandardScaler

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "compose": {
        "pipeline-passthrough": of(Pipeline([("a", "passthrough"), ("b", StandardScaler()), ("c", Ridge())]), regression),
        "pipeline-of-transformers": of(make_pipeline(StandardScaler(), PolynomialFeatures()), regression),
        "pipeline-passthrough-last": of(Pipeline([("a", StandardScaler()), ("b", "passthrough")]), regression),
        "columns-by-name": of(
            make_pipeline(ColumnTransformer([("n", StandardScaler(), ["year"])]), DecisionTreeClassifier()), mixed
        ),
        "columns-by-index": after(ColumnTransformer([("a", StandardScaler(), [3, 1]), ("b", MinMaxScaler(), [0])])),
        "columns-by-slice": after(ColumnTransformer([("a", StandardScaler(), slice(2, 5))], remainder="passthrough")),
        "columns-by-mask": after(ColumnTransformer([("a", StandardScaler(), [True, False] * 5)], remainder=RobustScaler())),
        "columns-drop": after(
            ColumnTransformer([("a", "drop", [0]), ("b", "passthrough", [4, 2])], transformer_weights={"b": 2.0})
        ),
        "columns-weights": after(ColumnTransformer([("a", StandardScaler(), [0, 1])], transformer_weights={"a": 0.3})),
        "union": after(make_union(StandardScaler(), MinMaxScaler())),
        "union-weights": after(
            FeatureUnion([("a", StandardScaler()), ("b", "passthrough"), ("c", "drop")], transformer_weights={"a": 3.0})
        ),
        "identity": after(FunctionTransformer()),
        "penguins": penguin_pipeline(LogisticRegression(max_iter=500)),
        "penguins-forest": penguin_pipeline(RandomForestClassifier(**FOREST)),
    },
    "scale": {
        "standard": after(StandardScaler()),
        "standard-no-mean": after(StandardScaler(with_mean=False)),
        "standard-no-std": after(StandardScaler(with_std=False)),
        "standard-tree": after(StandardScaler(), last=DecisionTreeRegressor(random_state=0)),
        "standard-missing": of(make_pipeline(StandardScaler(), HistGradientBoostingClassifier(**HIST)), holes),
        "minmax": after(MinMaxScaler((-2, 5))),
        "minmax-clip": after(MinMaxScaler(clip=True)),
        "minmax-tree": after(MinMaxScaler(), last=RandomForestRegressor(**FOREST)),
        "maxabs": after(MaxAbsScaler()),
        "maxabs-clip": after(MaxAbsScaler(clip=True)),
        "robust": after(RobustScaler()),
        "robust-no-center": after(RobustScaler(with_centering=False)),
        "robust-no-scale": after(RobustScaler(with_scaling=False)),
        "normalizer-l1": after(Normalizer("l1")),
        "normalizer-l2": after(Normalizer("l2")),
        "normalizer-max": after(Normalizer("max")),
    },
    "impute": {
        "mean": of(make_pipeline(SimpleImputer(), LogisticRegression(max_iter=50)), empty_column),
        "median-keep-empty": of(
            make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), LogisticRegression(max_iter=50)), holes
        ),
        "most-frequent": of(make_pipeline(SimpleImputer(strategy="most_frequent"), DecisionTreeClassifier()), empty_column),
        "constant": of(make_pipeline(SimpleImputer(strategy="constant", fill_value=-1), DecisionTreeClassifier()), empty_column),
        "indicator": of(make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=50)), empty_column),
        "minus-one": after(SimpleImputer(missing_values=0)),
        "words": of(
            make_pipeline(
                ColumnTransformer([("w", SimpleImputer(strategy="most_frequent"), ["color", "kind"])]), OneHotEncoder(), Ridge()
            ),
            words,
        ),
        "words-constant": of(
            make_pipeline(
                ColumnTransformer([("w", SimpleImputer(strategy="constant", fill_value="none", missing_values=None), ["color"])]),
                OneHotEncoder(handle_unknown="ignore"),
                Ridge(),
            ),
            words,
        ),
    },
    "encode": {
        "onehot": encoded(OneHotEncoder()),
        "onehot-ignore": encoded(OneHotEncoder(handle_unknown="ignore")),
        "onehot-dense": encoded(OneHotEncoder(sparse_output=False, handle_unknown="ignore")),
        "onehot-drop-first": encoded(OneHotEncoder(drop="first", handle_unknown="ignore")),
        "onehot-drop-binary": encoded(OneHotEncoder(drop="if_binary")),
        "onehot-drop-named": encoded(OneHotEncoder(drop=["red", 2, True, "b"])),
        "onehot-infrequent": encoded(OneHotEncoder(min_frequency=0.1, handle_unknown="infrequent_if_exist")),
        "onehot-max": encoded(OneHotEncoder(max_categories=2, handle_unknown="ignore", drop="first")),
        "onehot-warn": encoded(OneHotEncoder(max_categories=3, handle_unknown="warn")),
        "ordinal": encoded(OrdinalEncoder(encoded_missing_value=-2)),
        "ordinal-unknown": encoded(
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
        ),
        "ordinal-infrequent": encoded(OrdinalEncoder(max_categories=3, encoded_missing_value=99)),
        "ordinal-nan": of(
            make_pipeline(
                OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), HistGradientBoostingRegressor(**HIST)
            ),
            words,
        ),
        "onehot-tree": after(OneHotEncoder(handle_unknown="ignore"), words, RandomForestRegressor(**FOREST)),
    },
    "polynomial": {
        "degree-2": after(PolynomialFeatures(2), three),
        "degree-3-no-bias": after(PolynomialFeatures(3, include_bias=False), three),
        "interactions": after(PolynomialFeatures(3, interaction_only=True), three),
        "degrees-2-to-3": after(PolynomialFeatures((2, 3)), three),
        "order-f": after(PolynomialFeatures(2, order="F"), three, DecisionTreeRegressor(random_state=0)),
    },
    "bins": {
        "onehot": after(KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf")),
        "onehot-dense": after(KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform")),
        "ordinal-kmeans": after(KBinsDiscretizer(3, encode="ordinal", strategy="kmeans")),
    },
    "linear": {
        "linear": of(LinearRegression(), regression),
        "linear-no-intercept": of(LinearRegression(fit_intercept=False), regression),
        "linear-two-outputs": of(LinearRegression(), several),
        "ridge": of(Ridge(0.5), regression),
        "lasso": of(Lasso(0.5), regression),
        "lasso-two-outputs": of(make_pipeline(scaled(), Lasso(0.5)), several),
        "elastic-net": of(ElasticNet(0.2), regression),
        "sgd-regressor": of(make_pipeline(scaled(), SGDRegressor(**SGD)), regression),
        "logistic": of(LogisticRegression(max_iter=100), binary),
        "logistic-liblinear": of(LogisticRegression(solver="liblinear"), binary),
        "logistic-l1": of(LogisticRegression(solver="liblinear", l1_ratio=1.0), binary),
        "logistic-multinomial": of(LogisticRegression(max_iter=200), three),
        "logistic-sparse": lambda: (fitted(LogisticRegression(max_iter=200), three())[0].sparsify(), three()[0]),
        "sgd-hinge": of(make_pipeline(scaled(), SGDClassifier(**SGD)), three),
        "sgd-log": of(make_pipeline(scaled(), SGDClassifier("log_loss", **SGD)), binary),
        "sgd-log-multi": of(make_pipeline(scaled(), SGDClassifier("log_loss", **SGD)), three),
        "sgd-huber": of(make_pipeline(scaled(), SGDClassifier("modified_huber", **SGD)), binary),
        "sgd-huber-multi": of(make_pipeline(scaled(), SGDClassifier("modified_huber", **SGD)), three),
        "svc": of(make_pipeline(scaled(), LinearSVC()), binary),
        "svc-multi": of(make_pipeline(scaled(), LinearSVC()), three),
        "svc-crammer-singer": of(make_pipeline(scaled(), LinearSVC(multi_class="crammer_singer")), three),
    },
    "tree": {
        "classifier": of(DecisionTreeClassifier(random_state=0), binary),
        "classifier-missing": of(DecisionTreeClassifier(random_state=0), holes),
        "classifier-best-first": of(DecisionTreeClassifier(max_leaf_nodes=7), three),
        "classifier-two-outputs": of(DecisionTreeClassifier(max_depth=3), several_classes),
        "classifier-weights": of(DecisionTreeClassifier(class_weight="balanced", criterion="entropy"), three),
        "regressor": of(DecisionTreeRegressor(random_state=0), regression),
        "regressor-two-outputs": of(DecisionTreeRegressor(max_depth=4), several),
        "regressor-pruned": of(DecisionTreeRegressor(ccp_alpha=50.0), regression),
        "stump": of(DecisionTreeRegressor(max_depth=1), regression),
        "single-leaf": of(DecisionTreeRegressor(min_samples_leaf=10_000), regression),
        "extra-classifier": of(ExtraTreeClassifier(random_state=0), three),
        "extra-regressor": of(ExtraTreeRegressor(random_state=0), regression),
    },
    "forest": {
        "classifier": of(RandomForestClassifier(**FOREST), binary),
        "classifier-three": of(RandomForestClassifier(**FOREST), three),
        "classifier-missing": of(RandomForestClassifier(**FOREST), holes),
        "classifier-two-outputs": of(RandomForestClassifier(**FOREST), several_classes),
        "classifier-jobs": of(RandomForestClassifier(n_jobs=2, **FOREST), binary),
        "regressor": of(RandomForestRegressor(**FOREST), regression),
        "regressor-two-outputs": of(RandomForestRegressor(**FOREST), several),
        "extra-classifier": of(ExtraTreesClassifier(**FOREST), three),
        "extra-classifier-missing": of(ExtraTreesClassifier(**FOREST), holes),
        "extra-regressor": of(ExtraTreesRegressor(bootstrap=True, max_samples=0.5, **FOREST), regression),
    },
    "gradient-boosting": {
        "classifier": of(GradientBoostingClassifier(**BOOST), binary),
        "classifier-exponential": of(GradientBoostingClassifier(loss="exponential", **BOOST), binary),
        "classifier-three": of(GradientBoostingClassifier(**BOOST), three),
        "classifier-zero": of(GradientBoostingClassifier(init="zero", subsample=0.7, **BOOST), three),
        "regressor": of(GradientBoostingRegressor(**BOOST), regression),
        "regressor-huber": of(GradientBoostingRegressor(loss="huber", **BOOST), regression),
        "regressor-quantile": of(GradientBoostingRegressor(loss="quantile", alpha=0.9, **BOOST), regression),
        "regressor-absolute": of(GradientBoostingRegressor(loss="absolute_error", **BOOST), regression),
    },
    "hist-gradient-boosting": {
        "classifier": of(HistGradientBoostingClassifier(**HIST), binary),
        "classifier-three": of(HistGradientBoostingClassifier(**HIST), three),
        "classifier-missing": of(HistGradientBoostingClassifier(**HIST), holes),
        "classifier-native-categories": of(
            HistGradientBoostingClassifier(categorical_features="from_dtype", **HIST), categorical_frame
        ),
        "classifier-named-categories": of(HistGradientBoostingClassifier(categorical_features=["island", "sex"], **HIST), mixed),
        "regressor": of(HistGradientBoostingRegressor(**HIST), regression),
        "regressor-numeric-categories": of(
            HistGradientBoostingRegressor(categorical_features=["year"], **HIST), categorical_numbers
        ),
        "regressor-poisson": of(HistGradientBoostingRegressor(loss="poisson", **HIST), regression),
        "regressor-gamma": of(HistGradientBoostingRegressor(loss="gamma", **HIST), regression),
        "regressor-quantile": of(HistGradientBoostingRegressor(loss="quantile", quantile=0.2, **HIST), regression),
        "regressor-monotonic": of(
            HistGradientBoostingRegressor(monotonic_cst=[1, 0, 0, -1, 0, 0, 0, 0, 0, 0], interaction_cst="pairwise", **HIST),
            regression,
        ),
    },
}
