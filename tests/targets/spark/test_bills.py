"""Bills of Spark's services reckoned by hand from the table of prices, every figure written out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned

# 10,000,000 requests of 10 ms, and a start of 0.2 s, at 60 of 100 of the processors: 100,000.2 s / 0.6 / 3,600
HOURS = 46.2964


def test_a_driver_and_three_executors_on_emr_serverless() -> None:
    told = amounts(named("EMR Serverless", TEN))
    # the executors' 12 processors take 3.858 h; four workers have 16 processors and 64 GB
    assert told["driver and executors, vCPU-hours"] == pytest.approx(HOURS / 12 * 16 * 0.052624, rel=1e-4)  # 3.25
    assert told["driver and executors, GB-hours"] == pytest.approx(HOURS / 12 * 64 * 0.0057785, rel=1e-4)  # 1.43


def test_a_driver_and_two_executors_on_dataproc_serverless() -> None:
    """Google's own example has 12 units for them."""
    told = amounts(named("Dataproc Serverless", TEN))
    assert told["driver and executors, DCU-hours"] == pytest.approx(HOURS / 8 * 12 * 0.06, rel=1e-4)  # 4.17


def test_three_machines_of_databricks_and_their_units() -> None:
    bill = named("Databricks", TEN)
    assert amounts(bill)["driver and workers, DBU"] == pytest.approx(HOURS / 8 * 3 * 0.15, rel=1e-4)  # 2.60
    assert amounts(bill)["driver and workers, hours (i3.xlarge)"] == pytest.approx(HOURS / 8 * 3 * 0.312, rel=1e-4)  # 5.42
    assert not bill.confirmed  # the price of i3.xlarge was found nowhere


def test_a_pool_of_synapse() -> None:
    assert amounts(named("Synapse", TEN))["driver and executors, vCore-hours"] == pytest.approx(HOURS / 8 * 12 * 0.143, rel=1e-4)


def test_a_run_is_paid_for_a_minute_at_least() -> None:
    short = replace(TEN, requests=1000.0, runs=30)
    told = amounts(named("Dataproc Serverless", short))
    assert told["driver and executors, DCU-hours"] == pytest.approx(30 / 60 * 12 * 0.06)


@pytest.mark.parametrize("platform", ["", "submit", "kubernetes"])
def test_a_cluster_of_ones_own_has_no_bill(platform: str) -> None:
    assert planned("spark", TEN, platform) == {"hardware": 0.0}
