"""The estimators that docs/coverage.md calls packed are packed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import libraries
from benchmarks.coverage import LIBRARY_RESULTS, PAGE, RESULTS, attempt, attempt_library, write

KNOWN = json.loads(RESULTS.read_text())
LIBRARIES = json.loads(LIBRARY_RESULTS.read_text())
PACKED = [name for name, row in KNOWN.items() if row["packed"]]
# the defaults on their first table, and the first other configuration there
CONFIGURATIONS = 2
ONE = {"OneVsOneClassifier"}  # its other configuration has a hundred classes, one against one, which takes minutes to fit


def test_enough_of_scikit_learn_is_packed() -> None:
    """Check the promised shares: 90 percent of the estimators that predict, and 85 percent of those that transform."""
    for predicts, share in ((True, 0.9), (False, 0.85)):
        rows = [row for row in KNOWN.values() if row["predicts"] is predicts]
        assert sum(row["packed"] for row in rows) >= share * len(rows)


@pytest.mark.parametrize("name", PACKED)
def test_no_row_gets_worse(name: str) -> None:
    # Packed means within parity's bounds. The differences themselves are not compared: fits, and with them the scale of
    # exponentials far outside training, change with the processor's BLAS.
    row = attempt(name, 1 if name in ONE else CONFIGURATIONS)
    known = {reason.partition(":")[0] for reason in KNOWN[name]["reasons"]}
    assert row.packed and not [reason for reason in row.reasons if reason.partition(":")[0] not in known]


@pytest.mark.parametrize("library", ["imbalanced-learn", "category_encoders", "feature_engine"])
def test_seven_of_ten_classes_of_a_library_that_answer_on_new_rows_are_packed(library: str) -> None:
    rows = [row for name, row in LIBRARIES.items() if name.startswith(f"{library}: ")]
    assert {row["name"] for row in rows} == {f"{library}: {name}" for name in libraries.classes(library)}
    assert sum(row["packed"] for row in rows) >= 0.7 * len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in LIBRARIES.items() if row["packed"]])
def test_no_row_of_a_library_gets_worse(name: str) -> None:
    row = attempt_library(name, 1)
    assert row.packed, row.reasons


def test_the_page_shows_the_results(tmp_path: Path) -> None:
    write(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text() == PAGE.read_text()
