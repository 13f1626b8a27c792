"""Fitted models on real tables, shared by the tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@cache
def penguins() -> tuple[Any, Any]:
    """A pipeline over Palmer Penguins, a mixed table with categories and missing values, and its table without the target."""
    from palmerpenguins import load_penguins

    table = load_penguins()
    X, y = table.drop(columns="species"), table["species"]
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = make_column_transformer(
        (words, make_column_selector(dtype_exclude="number")), (numbers, make_column_selector(dtype_include="number"))
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(X, y), X
