"""Estimators made of others, in many configurations, fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.parity.cases import Case, of
from tests.parity.tables import Table, binary, holes, mixed, regression, several, several_classes, three


def tree(depth: int = 4) -> Any:
    return DecisionTreeClassifier(max_depth=depth, random_state=0)


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200))


def svc() -> Any:
    return make_pipeline(StandardScaler(), LinearSVC())


def rare() -> Table:
    """Four classes, one of them so rare that a bootstrap may miss it."""
    X, y = three()
    y = y.copy()
    y[:2] = 7
    return X, y


def flags() -> Table:
    """Three outputs of two classes."""
    X, _ = three()
    return X, (X[:, :3] > np.median(X[:, :3], axis=0)).astype(int)


def partly() -> Table:
    """Two classes, a third of the labels unknown."""
    X, y = holes()
    y = np.where(np.random.default_rng(0).random(len(y)) < 0.3, -1, y)
    return np.nan_to_num(X), y


def prefit(table: Callable[[], Table], make: Callable[[Any], Any], inner: Any) -> Callable[[], Case]:
    def case() -> Case:
        X, y = table()
        return make(FrozenEstimator(inner.fit(X, y))).fit(X, y), X

    return case


TWO = [("tree", tree()), ("logistic", logistic())]
VALUES = [("tree", DecisionTreeRegressor(max_depth=4)), ("ridge", Ridge())]

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "voting": {
        "soft": of(VotingClassifier(TWO, voting="soft"), binary),
        "soft-weights": of(VotingClassifier([*TWO, ("b", tree(2))], voting="soft", weights=[1, 2.5, 0.3]), three),
        "hard": of(VotingClassifier([*TWO, ("b", tree(2))]), three),
        "hard-weights": of(VotingClassifier([*TWO, ("gone", "drop"), ("svc", svc())], weights=[0.5, 0.7, 3, 1.1]), binary),
        "values": of(VotingRegressor(VALUES), regression),
        "values-weights": of(
            VotingRegressor([*VALUES, ("stump", DecisionTreeRegressor(max_depth=1))], weights=[1, 2, 3]), regression
        ),
        "values-many": of(VotingRegressor([(f"t{n}", DecisionTreeRegressor(max_depth=n + 1)) for n in range(10)]), regression),
    },
    "bagging": {
        "trees": of(BaggingClassifier(random_state=0), binary),
        "features": of(BaggingClassifier(tree(), 12, max_features=0.5, bootstrap_features=True, random_state=0), three),
        "rare-class": of(BaggingClassifier(tree(), 30, max_samples=0.3, random_state=0), rare),
        "votes": of(BaggingClassifier(svc(), 5, random_state=0), three),
        "logistic": of(BaggingClassifier(logistic(), 5, random_state=0, n_jobs=2), binary),
        "missing": of(BaggingClassifier(tree(), 5, random_state=0), holes),
        "values": of(BaggingRegressor(random_state=0), regression),
        "values-features": of(BaggingRegressor(Ridge(), 12, max_features=4, random_state=0), several),
    },
    "adaboost": {
        "two": of(AdaBoostClassifier(n_estimators=20, random_state=0), binary),
        "three": of(AdaBoostClassifier(tree(2), n_estimators=20, random_state=0), three),
        "values": of(AdaBoostRegressor(n_estimators=20, random_state=0), regression),
        "values-linear": of(AdaBoostRegressor(Ridge(), n_estimators=7, loss="square", random_state=0), regression),
    },
    "stacking": {
        "two": of(StackingClassifier(TWO), binary),
        "three": of(StackingClassifier([*TWO, ("svc", svc())], tree(3), passthrough=True), three),
        "predict": of(StackingClassifier([*TWO, ("gone", "drop")], stack_method="predict"), three),
        "values": of(StackingRegressor(VALUES), regression),
        "values-passthrough": of(StackingRegressor(VALUES, LinearRegression(), passthrough=True), regression),
    },
    "calibration": {
        "sigmoid": of(CalibratedClassifierCV(svc(), cv=3), binary),
        "sigmoid-three": of(CalibratedClassifierCV(svc(), cv=3), three),
        "isotonic": of(CalibratedClassifierCV(logistic(), method="isotonic", cv=3), binary),
        "isotonic-three": of(CalibratedClassifierCV(tree(), method="isotonic", cv=3), three),
        "temperature": of(CalibratedClassifierCV(svc(), method="temperature", cv=3), binary),
        "temperature-three": of(CalibratedClassifierCV(svc(), method="temperature", cv=3), three),
        "no-ensemble": of(CalibratedClassifierCV(logistic(), ensemble=False, cv=3), three),
        "prefit": prefit(binary, lambda inner: CalibratedClassifierCV(inner), RandomForestClassifier(5, random_state=0)),
    },
    "multiclass": {
        "rest": of(OneVsRestClassifier(LogisticRegression(max_iter=300)), three),
        "rest-svc": of(OneVsRestClassifier(svc()), three),
        "rest-tree": of(OneVsRestClassifier(tree()), three),
        "rest-two": of(OneVsRestClassifier(logistic()), binary),
        "rest-tree-two": of(OneVsRestClassifier(tree()), binary),
        "rest-values": of(OneVsRestClassifier(Ridge()), three),
        "one": of(OneVsOneClassifier(svc()), three),
        "one-tree": of(OneVsOneClassifier(tree()), three),
        "one-two": of(OneVsOneClassifier(logistic()), binary),
        "code": of(OutputCodeClassifier(svc(), code_size=4, random_state=0), three),
        "code-tree": of(OutputCodeClassifier(tree(), random_state=0, code_size=3), three),
    },
    "multioutput": {
        "classes": of(MultiOutputClassifier(tree()), several_classes),
        "classes-svc": of(MultiOutputClassifier(svc()), several_classes),
        "values": of(MultiOutputRegressor(Ridge()), several),
        "values-tree": of(MultiOutputRegressor(DecisionTreeRegressor(max_depth=5)), several),
        "chain-values": of(RegressorChain(Ridge(), order=[1, 0]), several),
        "chain-tree": of(RegressorChain(DecisionTreeRegressor(max_depth=5)), several),
        "chain": of(ClassifierChain(logistic(), order=[2, 0, 1]), flags),
        "chain-probabilities": of(ClassifierChain(tree(), chain_method="predict_proba"), flags),
        "chain-scores": of(ClassifierChain(svc(), chain_method="decision_function"), flags),
    },
    "several-labels": {
        "rest-logistic": of(OneVsRestClassifier(logistic()), flags),
        "rest-svc": of(make_pipeline(StandardScaler(), OneVsRestClassifier(LinearSVC())), flags),
        "rest-tree": of(OneVsRestClassifier(tree()), flags),
        "ridge": of(RidgeClassifier(), flags),
        "network": of(make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=50, random_state=0)), flags),
        "search": of(GridSearchCV(OneVsRestClassifier(tree()), {"estimator__max_depth": [2, 3]}), flags),
    },
    "search": {
        "grid": of(GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}), regression),
        "grid-pipeline": of(GridSearchCV(logistic(), {"logisticregression__C": [0.1, 1.0]}), three),
        "grid-transformer": of(make_pipeline(GridSearchCV(Ridge(), {"alpha": [1.0]})), regression),
        "random": of(RandomizedSearchCV(tree(), {"max_depth": [2, 3]}, n_iter=2, random_state=0), binary),
        "halving": of(HalvingGridSearchCV(Ridge(), {"alpha": [0.1, 1.0, 10.0]}, random_state=0), regression),
        "frozen": prefit(binary, lambda inner: inner, tree()),
        "self-training": of(SelfTrainingClassifier(logistic()), partly),
    },
    "threshold": {
        "fixed": of(FixedThresholdClassifier(logistic(), threshold=0.3, pos_label="malignant"), binary),
        "fixed-first": of(FixedThresholdClassifier(logistic(), threshold=0.3, pos_label="benign"), binary),
        "fixed-scores": of(FixedThresholdClassifier(svc(), pos_label="benign", threshold=0.4), binary),
        "fixed-tree": of(FixedThresholdClassifier(tree(), threshold=0.8, pos_label="malignant"), binary),
        "tuned": of(TunedThresholdClassifierCV(tree(), cv=3), holes),
    },
    "target": {
        "log": of(TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), regression),
        "log1p-tree": of(
            TransformedTargetRegressor(DecisionTreeRegressor(max_depth=5), func=np.log1p, inverse_func=np.expm1), regression
        ),
        "standard": of(TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), several),
        "minmax": of(TransformedTargetRegressor(Ridge(), transformer=MinMaxScaler()), regression),
        "robust": of(TransformedTargetRegressor(DecisionTreeRegressor(), transformer=RobustScaler()), regression),
        "maxabs": of(TransformedTargetRegressor(Ridge(), transformer=MaxAbsScaler()), regression),
        "none": of(TransformedTargetRegressor(), regression),
    },
    "dummy": {
        "prior": of(make_pipeline(StandardScaler(), DummyClassifier()), three),
        "most-frequent": of(DummyClassifier(strategy="most_frequent"), mixed),
        "constant": of(DummyClassifier(strategy="constant", constant="malignant"), binary),
        "two-outputs": of(DummyClassifier(), several_classes),
        "mean": of(DummyRegressor(), regression),
        "quantile": of(DummyRegressor(strategy="quantile", quantile=0.3), several),
    },
}
