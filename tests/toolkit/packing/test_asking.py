"""Where nothing else tells what a column of CSV is, the estimator is asked: what it answers as numbers only is numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from flyweight.toolkit.packing.asking import numbers_by_answer
from flyweight.toolkit.packing.sample import SampleRefused
from flyweight.toolkit.packing.source_table import read_source_table
from flyweight.toolkit.packing.tables import read_table

X = np.random.default_rng(0).integers(0, 9, (50, 2)).astype(float)
TEXTS = pd.DataFrame(X.astype(str), columns=["a", "b"])


def of(function: Any) -> Any:
    return make_pipeline(FunctionTransformer(function), LinearRegression()).fit(X, X[:, 0])


def test_what_the_estimator_answers_as_numbers_only_is_numbers() -> None:
    numbers = numbers_by_answer(of(lambda rows: rows[:, [0]] / (rows[:, [1]] + 1)), TEXTS, ["a", "b"], ["a", "b"])
    assert numbers is not None and numbers["a"].tolist() == X[:, 0].tolist()


@pytest.mark.parametrize("function", [lambda rows: rows.astype(float), lambda rows: rows[:, 7]])
def test_what_it_answers_both_ways_or_not_at_all_is_not_known(function: Any) -> None:
    fitted = of(lambda rows: rows)
    fitted.steps[0][1].func = function
    assert numbers_by_answer(fitted, TEXTS, ["a", "b"], ["a", "b"]) is None


def test_a_word_among_the_texts_is_no_number() -> None:
    assert numbers_by_answer(of(lambda rows: rows), TEXTS.assign(b="north"), ["a", "b"], ["a", "b"]) is None


def test_a_csv_file_is_typed_by_asking_else_its_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    TEXTS.to_csv(path, index=False)
    fitted = of(lambda rows: rows[:, [0]] - rows[:, [1]])
    fitted.n_features_in_  # noqa: B018 - it was fitted on an array
    assert read_source_table(fitted, read_table(path), {}).kinds == ["number", "number"]
    fitted.steps[0][1].func = lambda rows: rows.astype(float)
    with pytest.raises(SampleRefused, match="'a': '"):
        read_source_table(fitted, read_table(path), {})
