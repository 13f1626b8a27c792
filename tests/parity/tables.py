"""The tables that the parity cases are fitted on, each as (features, target)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

Table = tuple[Any, Any]


@cache
def binary() -> Table:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    return X.iloc[:, :10], np.where(y == 1, "benign", "malignant")


@cache
def three() -> Table:
    X, y = load_iris(return_X_y=True)
    return X, y


@cache
def regression() -> Table:
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return X, y


@cache
def holes() -> Table:
    """Numbers, a fifth of them missing."""
    X, y = load_breast_cancer(return_X_y=True)
    X = X[:, :8].copy()
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    return X, y


def empty_column() -> Table:
    """Numbers, a fifth of them missing, one column entirely."""
    X, y = holes()
    X = X.copy()
    X[:, 7] = np.nan
    return X, y


@cache
def mixed() -> Table:
    from palmerpenguins import load_penguins

    table = load_penguins()
    return table.drop(columns="species"), table["species"]


@cache
def words() -> Table:
    """Categories: strings with missing values, integers, booleans, and a rare one."""
    rng = np.random.default_rng(1)
    count = 400
    frame = pd.DataFrame(
        {
            "color": pd.Series(
                rng.choice(["red", "green", "blue", "Ünïcode", None], count, p=[0.5, 0.2, 0.2, 0.05, 0.05]), dtype=object
            ),
            "size": rng.choice([1, 2, 3, 10], count, p=[0.6, 0.3, 0.08, 0.02]),
            "flag": rng.random(count) < 0.3,
            "kind": pd.Series(rng.choice(["a", "b"], count), dtype=object),
        }
    )
    target = (frame["color"] == "red").astype(int) + frame["size"] + frame["flag"] * 2 + rng.normal(0, 0.3, count)
    return frame, target.to_numpy()


@cache
def several() -> Table:
    """Two outputs."""
    X, y = load_diabetes(return_X_y=True, scaled=False)
    return X, np.column_stack([y, X[:, 2] * 3 + y / 2])


@cache
def several_classes() -> Table:
    X, y = load_iris(return_X_y=True)
    return X, np.column_stack([np.array(["a", "b", "c"])[y], np.where(X[:, 0] > 5.8, "long", "short")])


def categorical_frame() -> Table:
    X, y = mixed()
    return X.assign(island=X["island"].astype("category"), sex=X["sex"].astype("category")), y


def categorical_numbers() -> Table:
    X, _ = mixed()
    return X.drop(columns=["island", "sex"]), X["body_mass_g"].fillna(4000) / 1000
