"""Fit the models of the demo and the benchmarks to real tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests import fitted as tested


@dataclass(frozen=True)
class Model:
    """A fitted estimator, the table that it was fitted to, and one instance to predict."""

    name: str
    title: str
    table: str
    estimator: Any
    sample: Any
    instance: list[float] | dict[str, Any]


@cache
def linear() -> Model:
    """Fit a standardised logistic regression of 30 features."""
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    # Fitted to the array, so that the scikit-learn handler needs no pandas.
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.to_numpy(), labels.to_numpy())
    return Model("linear", "logistic regression", "breast cancer", estimator, frame, frame.iloc[100].tolist())


@cache
def forest() -> Model:
    """Fit a random forest of 100 trees."""
    frame, labels = load_breast_cancer(return_X_y=True, as_frame=True)
    estimator = RandomForestClassifier(n_estimators=100, random_state=0).fit(frame.to_numpy(), labels.to_numpy())
    return Model("forest", "random forest, 100 trees", "breast cancer", estimator, frame, frame.iloc[100].tolist())


@cache
def boosting() -> Model:
    """Fit histogram gradient boosting of 100 trees."""
    frame, target = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    estimator = HistGradientBoostingRegressor(random_state=0).fit(frame.to_numpy(), target.to_numpy())
    return Model("boosting", "histogram gradient boosting", "diabetes", estimator, frame, frame.iloc[100].tolist())


@cache
def mixed() -> Model:
    """Fit imputers, one-hot encoding, scaling and a logistic regression to numbers and strings."""
    estimator, frame = tested.penguins()
    instance = {name: getattr(value, "item", lambda value=value: value)() for name, value in frame.iloc[0].items()}
    return Model("mixed", "mixed pipeline", "penguins", estimator, frame, instance)


MODELS: dict[str, Callable[[], Model]] = {"linear": linear, "forest": forest, "boosting": boosting, "mixed": mixed}
