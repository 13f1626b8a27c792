"""Bills of Azure Machine Learning reckoned by hand from the table of prices."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_two_instances_at_the_price_of_their_machines() -> None:
    told = amounts(named("Azure ML endpoint", TEN))
    assert told["instances (Standard_DS2_v2)"] == pytest.approx(2 * 730 * 0.146)  # 213.16


def test_a_plan_prices_its_instances_and_the_registry() -> None:
    told = planned("azure_ml", TEN, INSTANCE_COUNT="3")
    assert told["instances (Standard_DS2_v2)"] == pytest.approx(3 * 730 * 0.146)  # 319.74
    assert told["registry of images, Basic"] == 5
