"""Random tables, random estimators, and the forms of their files: no label differs from the estimator's."""

from __future__ import annotations

import pytest

from tests.parity.random_tables import attempt

TABLES, PARTS = 300, 10
# scikit-learn itself can't fit some of the tables
FEW = 12


def test_no_label_differs_over_a_few_tables() -> None:
    outcomes = [attempt(seed) for seed in range(FEW)]
    assert [outcome.different for outcome in outcomes if outcome.different] == []
    assert sum(outcome.labels for outcome in outcomes) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_no_label_differs_over_random_tables(part: int) -> None:
    seeds = range(part * TABLES // PARTS, (part + 1) * TABLES // PARTS)
    outcomes = {seed: attempt(seed) for seed in seeds}
    assert {seed: outcome.different for seed, outcome in outcomes.items() if outcome.different} == {}
    assert {outcome.refused for outcome in outcomes.values() if not outcome.refused.startswith("not fitted")} <= {""}
