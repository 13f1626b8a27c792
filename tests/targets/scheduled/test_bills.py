"""Bills of scheduled jobs reckoned by hand from the tables of prices, every figure written out."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned

# 10,000,000 requests of 10 ms, and a start of 0.2 s, at 60 of 100 of the processors: 100,000.2 s / 0.6 / 3,600
HOURS = 46.2964


def test_tasks_of_aws_batch_are_paid_while_they_score() -> None:
    told = amounts(named("AWS Batch", TEN))
    assert told["task CPU, vCPU-hours"] == pytest.approx(HOURS * 0.04048, rel=1e-4)  # 1.87
    assert told["task memory, GB-hours"] == pytest.approx(2 * HOURS * 0.004445, rel=1e-4)  # 0.41
    assert told["files kept, GB"] == pytest.approx((20 + 10) * 0.023)


def test_the_tasks_of_a_plan_are_those_of_its_parameters() -> None:
    told = planned("scheduled", TEN, "aws_batch", Cpu="4", Memory="16384", Architecture="ARM64")
    assert told["task CPU, vCPU-hours"] == pytest.approx(HOURS * 0.03238, rel=1e-4)  # 1.50
    assert told["task memory, GB-hours"] == pytest.approx(4 * HOURS * 0.00356, rel=1e-4)  # 0.66
    assert told["image kept, GB"] == pytest.approx(0.0001)  # 1 MB x 0.10


def test_a_map_is_paid_by_its_states_and_by_the_function() -> None:
    told = amounts(named("Step Functions over Lambda", TEN))
    # 100,000 s in calls of 10 s, with three transitions each
    assert told["state transitions"] == pytest.approx((30_000 - 4_000) * 0.000025)  # 0.65
    assert told["requests"] == 0 and told["compute, GB-seconds"] >= 0


def test_a_job_on_cloud_run_has_free_amounts_and_a_free_schedule() -> None:
    told = amounts(named("Cloud Run job", TEN.at(100e6)))
    # 1,000,000.2 s / 0.6 are 1,666,667 s of processors, each with a GiB
    assert told["CPU, vCPU-seconds"] == pytest.approx((1_666_667 - 240_000) * 0.000018, rel=1e-4)  # 25.68
    assert told["memory, GiB-seconds"] == pytest.approx((1_666_667 - 450_000) * 0.000002, rel=1e-4)  # 2.43
    assert told["job of Cloud Scheduler"] == 0
    assert planned("scheduled", TEN, "cloud_run_jobs")["image kept, GB"] == pytest.approx(0.0001)


def test_a_job_on_container_apps_has_free_amounts() -> None:
    told = amounts(named("Container Apps job", TEN.at(100e6)))
    assert told["CPU, vCPU-seconds"] == pytest.approx((1_666_667 - 180_000) * 0.000024, rel=1e-4)  # 35.68
    assert told["memory, GiB-seconds"] == pytest.approx((2 * 1_666_667 - 360_000) * 0.000003, rel=1e-4)  # 8.92
    assert planned("scheduled", TEN, "container_apps_jobs")["registry of images, Basic"] == 5


@pytest.mark.parametrize("platform", ["", "systemd", "cron"])
def test_a_machine_of_ones_own_has_no_bill(platform: str) -> None:
    assert planned("scheduled", TEN, platform) == {"hardware": 0.0}
