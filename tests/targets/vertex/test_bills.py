"""Bills of Vertex AI reckoned by hand from the table of prices."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_two_replicas_of_the_smaller_machine() -> None:
    told = amounts(named("Vertex AI endpoint", TEN))
    assert told["instances (e2-standard-2)"] == pytest.approx(2 * 730 * 0.0770564)  # 112.50


def test_a_plan_prices_the_machine_of_its_variables() -> None:
    told = planned("vertex", TEN, MACHINE_TYPE="n1-standard-2", MIN_REPLICAS="1")
    assert told["instances (n1-standard-2)"] == pytest.approx(730 * 0.1095)  # 79.94
    assert told["image kept, GB"] == pytest.approx(0.0001)  # 1 MB x 0.10
