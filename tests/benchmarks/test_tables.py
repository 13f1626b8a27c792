"""Random tables in a benchmark: every difference and refusal is counted."""

from __future__ import annotations

from benchmarks.tables import figures
from tests.parity.random_tables import Outcome


def test_differences_are_listed_by_seed_and_refusals_by_reason() -> None:
    outcomes = {
        3: Outcome(labels=10),
        4: Outcome(5, ["CSV: 2 labels"]),
        5: Outcome(refused="not fitted: a"),
        6: Outcome(refused="x: y"),
    }
    assert figures(outcomes) == {
        "tables": 4,
        "labels": 15,
        "different": {4: ["CSV: 2 labels"]},
        "refused": {"not fitted": 1, "x": 1},
    }
