"""Dask answers each row of a table as the scorer does, in its order, also when a worker is killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.batch.conftest import Score


@pytest.fixture(scope="module")
def found(score: Score) -> dict[str, Any]:
    return score("dask", "dask_score.py")


@pytest.mark.parametrize("way", ["threads", "processes"])
def test_answers_are_those_of_the_scorer_in_the_order_of_the_rows(found: dict[str, Any], way: str) -> None:
    assert found["rows"] == 344 and found[way] is True


def test_index_and_types_are_those_that_dask_was_told(found: dict[str, Any]) -> None:
    assert found["index"] and found["types as told"]
    assert found["types"] == ["int64", "str", "list<item: double>[pyarrow]"]


def test_partitions_without_rows_are_answered_without_rows(found: dict[str, Any]) -> None:
    assert found["empty partitions"] is True


def test_answers_can_be_grouped_and_written(found: dict[str, Any]) -> None:
    assert found["counted"] == 344 and found["written"] is True


def test_rows_that_fail_have_their_reason_in_a_column(found: dict[str, Any]) -> None:
    assert found["failed ids"] == [*range(0, 344, 16)] and found["others as before"] is True


def test_our_error_reaches_the_caller(found: dict[str, Any]) -> None:
    assert "feature 'year': expected a finite number" in found["raised"]
    assert "sex" in found["missing column"]


def test_a_killed_worker_loses_no_row(found: dict[str, Any]) -> None:
    assert found["killed"] is True
