"""Models of each kind, packed once, and exported."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.decomposition import KernelPCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, RationalQuadratic, WhiteKernel
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, QuantileTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import flyweight

ROWS = 300  # that are made for each comparison


@functools.cache
def numbers() -> tuple[pd.DataFrame, Any]:
    X, y = make_classification(200, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
    return pd.DataFrame(X, columns=[f"x{i}" for i in range(6)]), y


@functools.cache
def holes() -> tuple[pd.DataFrame, Any]:
    X, y = numbers()
    return X.mask(np.random.default_rng(0).random(X.shape) < 0.05), y


@functools.cache
def ties() -> tuple[pd.DataFrame, Any]:
    """Make rows with holes that lie on a grid, so that many are equally near."""
    X, y = numbers()
    return X.round().clip(-2, 2).mask(np.random.default_rng(4).random(X.shape) < 0.1), y


@functools.cache
def mixed() -> tuple[pd.DataFrame, Any]:
    X, y = holes()
    rng = np.random.default_rng(1)
    color = pd.Series(rng.choice(["red", "green", 'bl"ue?', "été"], len(X)), dtype=object).mask(rng.random(len(X)) < 0.1, None)
    return X.iloc[:, :2].assign(color=color, size=rng.choice(["s", "m", "l"], len(X))), y


def encoded(unknown: str = "ignore") -> Any:
    parts = [
        ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["x0", "x1"]),
        ("color", OneHotEncoder(handle_unknown=unknown), ["color"]),
        ("size", OrdinalEncoder(), ["size"]),
    ]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression())


def tree() -> Any:
    return DecisionTreeClassifier(max_depth=4, random_state=0)


def process() -> Any:
    kernel = RBF(2.0) * Matern(3.0, nu=1.5) + RationalQuadratic() + DotProduct() + Matern(nu=2.5) ** 2 + WhiteKernel()
    return GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)


def boosted(module: str) -> Any:
    library = pytest.importorskip(module)
    return library.LGBMClassifier(n_estimators=5, verbose=-1) if module == "lightgbm" else library.XGBClassifier(n_estimators=5)


MODELS: dict[str, Callable[[], tuple[Any, tuple[Any, Any]]]] = {
    "linear": lambda: (make_pipeline(StandardScaler(), LogisticRegression()), numbers()),
    "forest": lambda: (RandomForestClassifier(10, max_depth=6, random_state=0), holes()),
    "scaled_forest": lambda: (make_pipeline(StandardScaler(), RandomForestClassifier(5, max_depth=5, random_state=0)), numbers()),
    "regressor": lambda: (RandomForestRegressor(10, max_depth=6, random_state=0), numbers()),
    "gradient": lambda: (GradientBoostingClassifier(n_estimators=5, random_state=0), numbers()),
    "histogram": lambda: (HistGradientBoostingClassifier(max_iter=5), holes()),
    "categorical": lambda: (HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]), (codes(), numbers()[1])),
    "network": lambda: (make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=2000, random_state=0)), numbers()),
    "kernel": lambda: (SVC(), numbers()),
    "pairs": lambda: (SVC(kernel="poly", decision_function_shape="ovo"), numbers()),
    "votes": lambda: (AdaBoostClassifier(n_estimators=5, random_state=0), numbers()),
    "median": lambda: (AdaBoostRegressor(n_estimators=5, random_state=0), numbers()),
    "isolation": lambda: (IsolationForest(n_estimators=10, random_state=0), numbers()),
    "ranks": lambda: (make_pipeline(QuantileTransformer(n_quantiles=40), tree()), numbers()),
    "normal": lambda: (make_pipeline(QuantileTransformer(n_quantiles=40, output_distribution="normal"), tree()), holes()),
    "coupled": lambda: (SVC(probability=True, random_state=0), numbers()),
    "components": lambda: (make_pipeline(KernelPCA(3, kernel="rbf"), LogisticRegression()), numbers()),
    "process": lambda: (process(), numbers()),
    "iterated": lambda: (make_pipeline(IterativeImputer(max_iter=3), LogisticRegression()), holes()),
    "neighbors": lambda: (make_pipeline(KNNImputer(n_neighbors=3), RandomForestRegressor(5, random_state=0)), ties()),
    "mixed": lambda: (encoded(), mixed()),
    "lightgbm": lambda: (boosted("lightgbm"), holes()),
    "xgboost": lambda: (boosted("xgboost"), holes()),
}


NOT_IN_C = {"coupled", "components", "process", "neighbors"}


def codes() -> pd.DataFrame:
    X = numbers()[0]
    return X.assign(x0=np.random.default_rng(2).integers(0, 9, len(X)).astype(float))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Pack the model of a name, once."""
    folder = tmp_path_factory.mktemp("exported")

    @functools.cache
    def packed(name: str) -> Path:
        estimator, (X, y) = MODELS[name]()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(X, y)
            flyweight.pack(estimator, folder / f"{name}.safetensors", sample=X, name=name, engine="pure", edge_count=200)
        return folder / f"{name}.safetensors"

    return packed
