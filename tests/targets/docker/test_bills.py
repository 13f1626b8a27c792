"""Bills of containers reckoned by hand from the tables of prices, every figure written out."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_two_tasks_on_fargate_behind_a_balancer() -> None:
    told = amounts(named("Fargate", TEN))
    # 10 ms x 38.05 requests a second at the busiest take 0.3805 of a CPU; at 60 of 100 two tasks of half a CPU
    assert told["task CPU, vCPU-hours"] == pytest.approx(2 * 0.5 * 730 * 0.04048)  # 29.55
    assert told["task memory, GB-hours"] == pytest.approx(2 * 730 * 0.004445)  # 6.49
    assert told["load balancer"] == pytest.approx(730 * 0.0225)


def test_the_tasks_of_a_plan_are_those_of_its_parameters() -> None:
    told = planned("docker", TEN, "fargate", Cpu="1024", Memory="2048", Architecture="ARM64", Least="3", Scheme="internet-facing")
    assert told["task CPU, vCPU-hours"] == pytest.approx(3 * 730 * 0.03238)  # 70.91
    assert told["task memory, GB-hours"] == pytest.approx(3 * 2 * 730 * 0.00356)  # 15.59
    assert told["its public addresses"] == pytest.approx(7.30)  # 2 x 730 x 0.005
    assert told["image kept, GB"] == pytest.approx(0.0001)  # 1 MB x 0.10


def test_a_container_app_is_idle_between_requests() -> None:
    told = amounts(named("Container Apps", TEN))
    # 0.3805 of a CPU at 60 of 100: three replicas of a quarter all month, 7,884,000 s, active for 2,628,000 s at the most
    assert told["CPU, vCPU-seconds"] == pytest.approx((2_628_000 * 0.25 - 180_000) * 0.000024)  # 11.45
    assert told["CPU, idle vCPU-seconds"] == pytest.approx(7_884_000 * 0.25 * 0.000003)  # 5.91
    assert told["memory, GiB-seconds"] == pytest.approx((7_884_000 * 0.5 - 360_000) * 0.000003)  # 10.75
    assert told["requests"] == pytest.approx(3.20)  # (10,000,000 - 2,000,000) x 0.0000004
    assert planned("docker", TEN, "container_apps")["registry of images, Basic"] == 5


def test_two_machines_of_an_app_service_plan() -> None:
    assert amounts(named("App Service", TEN))["machines of the plan (B1)"] == pytest.approx(2 * 730 * 0.017)  # 24.82
    assert planned("docker", TEN, "app_service")["machines of the plan (B1)"] == pytest.approx(730 * 0.017)


def test_a_machine_of_ones_own_has_no_bill() -> None:
    assert planned("docker", TEN) == planned("docker", TEN, "compose") == {"hardware": 0.0}
