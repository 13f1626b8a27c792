"""Bills of virtual machines reckoned by hand from the tables of prices, every figure written out."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_azure_machines_behind_a_balancer() -> None:
    """Four tenths of a CPU each: 10 ms x 38 requests a second at the busiest take 0.38, at 60 of 100 two machines."""
    told = amounts(named("Azure machines", TEN))
    assert told["machines (Standard_B2s)"] == pytest.approx(2 * 730 * 0.0416)  # 60.74
    assert told["load balancer"] == pytest.approx(18.25)  # 730 x 0.025
    assert told["through it, GB"] == pytest.approx(0.15)  # 30 x 0.005


def test_two_machines_on_ec2() -> None:
    told = amounts(named("EC2 machines", TEN))
    assert told["machines (t3.small)"] == pytest.approx(2 * 730 * 0.0208)  # 30.37
    assert told["its capacity units"] == pytest.approx(730 * 0.008)


def test_the_machines_and_disks_of_a_plan_are_those_of_its_parameters() -> None:
    told = planned("vm", TEN, "aws", InstanceType="t4g.small", Least="3")
    assert told["machines (t4g.small)"] == pytest.approx(3 * 730 * 0.0168)  # 36.79
    assert told["disks, GB"] == pytest.approx(3 * 10 * 0.08)
    small = planned("vm", TEN, "azure", vmSize="Standard_B1s")
    assert small["machines (Standard_B1s)"] == pytest.approx(7 * 730 * 0.0104)  # 53.14
    assert small["disks"] == pytest.approx(7 * 2.40)
    # half a CPU each: 0.3805 at 60 of 100 are two machines
    assert planned("vm", TEN, "gcp")["machines (e2-small)"] == pytest.approx(2 * 730 * 0.016752855)


def test_a_machine_of_ones_own_has_no_bill() -> None:
    assert planned("vm", TEN, "none") == {"hardware": 0.0}
