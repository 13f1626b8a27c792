"""The estimator is asked in batches: rarely where it refuses rows, and never twice for a row that it refused."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin

from flyweight.toolkit.convert.draft import Draft
from flyweight.toolkit.packing.edge_rows import edge_count_of, features_of
from flyweight.toolkit.packing.oracle import Oracle
from flyweight.toolkit.packing.sample import Shape


class Counting(RegressorMixin, BaseEstimator):
    """An estimator that notes the rows of each call, and refuses those that a function names."""

    def __init__(self, refuses: Any = None, n_jobs: int | None = None) -> None:
        self.refuses = refuses
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Counting:
        self.calls_: list[Any] = []
        return self

    def predict(self, X: Any) -> Any:
        self.calls_.append((len(X), self.n_jobs))
        if any(map(self.refuses, np.asarray(X).tolist())):
            raise ValueError("refused")
        return np.nan_to_num(np.asarray(X)[:, 0])


def oracle(refuses: Any, width: int = 1, n_jobs: int | None = None) -> tuple[Oracle, Any]:
    estimator = Counting(refuses, n_jobs).fit(None)
    names = [f"x{position}" for position in range(width)]
    shape = Shape(names, ["number"] * width, [np.dtype(float)] * width, [np.nan] * width, False)
    return Oracle(estimator, shape, set()), estimator


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_every_row_is_answered_or_refused_whatever_was_expected(marks: list[tuple[bool, bool]]) -> None:
    asked, _ = oracle(lambda row: row[0] < 0)
    rows = [[-1.0 - place if refused else float(place)] for place, (refused, _) in enumerate(marks)]
    doubtful = {id(row) for row, (_, doubted) in zip(rows, marks, strict=True) if doubted}
    batches, refused = asked.sort(rows, doubtful)
    assert sorted(row[0] for row in refused) == sorted(row[0] for row in rows if row[0] < 0)
    answered = [pair for batch, answers in batches for pair in zip(batch, answers["predictions"], strict=True)]
    assert Counter(row[0] for row, _ in answered) == Counter(row[0] for row in rows if row[0] >= 0)
    assert all(row[0] == answer for row, (answer,) in answered)


def test_one_refused_row_takes_calls_that_grow_with_the_logarithm() -> None:
    for count in (10, 100, 1000):
        asked, estimator = oracle(lambda row: row[0] == 7)
        _, refused = asked.sort([[float(number)] for number in range(count)])
        assert refused == [[7.0]]
        assert len(estimator.calls_) <= 2 * math.ceil(math.log2(count)) + 1


def test_rows_that_are_expected_to_be_refused_do_not_slow_the_others() -> None:
    asked, estimator = oracle(lambda row: row[0] < 0)
    rows = [[float(number - 100)] for number in range(500)]
    asked.sort(rows, {id(row) for row in rows if row[0] < 0})
    assert sorted(count for count, _ in estimator.calls_) == [1] * 100 + [100, 400]


def test_a_refused_row_is_not_asked_again() -> None:
    asked, estimator = oracle(lambda row: row[0] < 0)
    rows = [[float(number - 2)] for number in range(50)]
    _, refused = asked.sort(rows)
    estimator.calls_.clear()
    _, again = asked.sort(rows)
    assert again == refused and [count for count, _ in estimator.calls_] == [48]


def test_jobs_are_one_during_a_call_alone() -> None:
    asked, estimator = oracle(lambda row: False, n_jobs=4)
    asked.answers([[1.0]])
    assert estimator.calls_ == [(1, 1)] and estimator.n_jobs == 4


@pytest.mark.parametrize(
    ("refuses", "nullable"),
    [
        (lambda row: False, set(range(1000))),
        (lambda row: any(map(math.isnan, row)), set()),
        (lambda row: math.isnan(row[3]), {*range(1000)} - {3}),
    ],
    ids=["none", "all", "one"],
)
def test_a_wide_table_is_asked_for_missing_values_in_few_calls(refuses: Any, nullable: set[int]) -> None:
    asked, estimator = oracle(refuses, 1000)
    rows = [[float(position) for position in range(1000)]]
    features, _ = features_of(Draft(asked.shape.names), asked, rows)
    assert {place for place, feature in enumerate(features) if feature.nullable} == nullable
    assert len(estimator.calls_) <= 60


def test_fewer_rows_are_made_for_a_very_wide_table() -> None:
    assert edge_count_of(1) == edge_count_of(500) == 2000
    assert edge_count_of(5000) == 200 == edge_count_of(100_000)
