"""Rows that are made to break a model fit the signature, vary what is read, and are the same for the same seed."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest

from flyweight.models.signature import Feature
from flyweight.toolkit.convert.draft import Draft
from flyweight.toolkit.packing.edge_dates import FIRST, LAST, microseconds
from flyweight.toolkit.packing.edge_rows import edge_rows
from flyweight.toolkit.packing.sample import Row

FEATURES = [
    Feature("when", "datetime", True),
    Feature("unread", "unread", True),
    Feature("constant", "number", False, None, [5e9, 5e9]),
    Feature("town", "string", True, ["a", "b"]),
]
ROWS: list[Row] = [[microseconds(datetime(2024, 1, day)), math.nan, 5e9, "a"] for day in range(1, 20)]


def made(seed: int = 0, count: int = 600) -> list[Row]:
    return edge_rows(Draft([feature.name for feature in FEATURES]), FEATURES, set(), ROWS, count, seed)


def test_equal_seeds_give_equal_rows_and_others_do_not() -> None:
    assert repr(made(3)) == repr(made(3)) != repr(made(4))


def test_a_column_that_nothing_reads_is_never_varied() -> None:
    assert all(math.isnan(row[1]) for row in made())


def test_datetimes_are_whole_microseconds_of_the_years_that_a_number_holds() -> None:
    whens = {row[0] for row in made() if row[0] == row[0]}
    assert all(when.is_integer() and microseconds(FIRST) <= when <= microseconds(LAST) for when in whens)
    assert len(whens) > 100 and {0.0, -1.0} <= whens
    assert any(row[0] != row[0] for row in made())


def test_a_constant_column_is_varied_by_its_own_size() -> None:
    values = {row[2] for row in made()}
    assert max(values) > 5.4e9 and min(values) < 4.6e9


@pytest.mark.parametrize("edges", [np.array([1e15]), np.array([1e300, math.inf])])
def test_thresholds_of_datetimes_are_met_from_both_sides(edges: np.ndarray) -> None:
    draft = Draft([feature.name for feature in FEATURES])
    draft.edges[0] = edges
    whens = {row[0] for row in edge_rows(draft, FEATURES, set(), ROWS, 300)}
    assert ({1e15 - 1, 1e15, 1e15 + 1} <= whens) == (edges[0] == 1e15)
