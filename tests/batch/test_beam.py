"""Beam's `RunInference` answers each element as the scorer does, on the runner of the package and on Prism."""

from __future__ import annotations

from typing import Any

import pytest

from tests.batch.conftest import Score
from tests.conftest import ROOT


@pytest.fixture(scope="module", params=["its own runner", "Prism"])
def found(score: Score, request: pytest.FixtureRequest) -> dict[str, Any]:
    prism = ROOT / ".tools" / "prism" / "prism"
    if request.param == "Prism" and not prism.exists():
        pytest.skip("Prism is not installed; run: .ci/install-prism")
    return score("beam", "beam_score.py", *([prism] if request.param == "Prism" else []))


@pytest.mark.parametrize("elements", ["batches", "dicts", "keyed"])
def test_answers_are_those_of_the_scorer(found: dict[str, Any], elements: str) -> None:
    assert found["rows"] == 344 and found[elements] is True
    assert found["errors of sound rows"] == []


def test_a_collection_without_elements_has_no_answers(found: dict[str, Any]) -> None:
    assert found["empty"] == []


def test_a_row_that_fails_is_told_and_the_others_of_its_batch_are_answered(found: dict[str, Any]) -> None:
    assert sorted(map(int, found["failed"])) == [7, 20, 33, 50] and found["others as before"] is True
    assert "expected a number or null, got 'often'" in found["failed"]["20"]
    assert "expected a string or null, got 5" in found["failed"]["33"]
    assert "no such feature" in found["failed"]["50"]
