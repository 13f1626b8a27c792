"""Ray Data answers each row of a data set as the scorer does, in its order, also when a worker is killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.batch.conftest import Score

pytestmark = pytest.mark.slow  # Ray's processes take seconds to start


@pytest.fixture(scope="module")
def found(score: Score) -> dict[str, Any]:
    return score("ray", "ray_score.py")


@pytest.mark.parametrize("way", ["blocks", "files", "bytes", "actors"])
def test_answers_are_those_of_the_scorer_in_the_order_of_the_rows(found: dict[str, Any], way: str) -> None:
    assert found["rows"] == 344 and found[way] is True


def test_a_data_set_without_rows_is_answered_without_rows(found: dict[str, Any]) -> None:
    assert found["empty"] == 0


def test_rows_that_fail_have_their_reason_in_a_column(found: dict[str, Any]) -> None:
    assert found["failed ids"] == [*range(0, 344, 16)] and found["others as before"] is True


def test_our_error_is_in_the_text_of_rays(found: dict[str, Any]) -> None:
    assert "instance 0, feature 'year': expected a finite number" in found["raised"]


def test_a_killed_worker_loses_no_row(found: dict[str, Any]) -> None:
    assert found["killed"] is True
