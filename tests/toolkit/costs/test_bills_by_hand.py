"""Bills reckoned by hand from the table of prices, every figure written out, two and more for each provider."""

from __future__ import annotations

import pytest

from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.targets.aws import costs as aws
from flyweight.toolkit.targets.gcp import costs as gcp
from tests.toolkit.costs.bills import TEN, amounts, named


def test_an_endpoint_and_a_cluster_on_aws() -> None:
    assert named("SageMaker endpoint", TEN).total == pytest.approx(2 * 730 * 0.056)  # 81.76
    cluster = amounts(named("Kubernetes", TEN))
    assert cluster["control plane"] == pytest.approx(73) and cluster["nodes"] == pytest.approx(3 * 730 * 0.0168)
    assert cluster["its public addresses"] == pytest.approx(7.30)  # 2 x 730 x 0.005


def test_a_data_set_by_files_every_night() -> None:
    """200 million rows a night, 30 nights: 6 million requests of 1,000 rows, 100 kB each, answers of 60 kB."""
    work = Workload(
        Measured(0.2, 0.02, 10**8, 10**6), requests=6e6, rows=1000, sent=100_000, received=60_000, runs=30, memory_mb=1769
    )
    told = amounts(aws.by_files(work))
    # 6,000,000 x 0.02 s = 120,000 s in calls of 10 s: 12,000, of which 300 start cold for 0.2 s; 120,060 s x 1.7275 GB are free
    assert told["requests"] == 0 and told["compute, GB-seconds"] == 0
    assert told["files kept, GB"] == pytest.approx((600 + 360) / 30 * 0.023)  # 0.736
    assert told["parts and answers written"] == pytest.approx(2 * 360e9 / 8_388_608 * 0.000005)  # 0.43
    machines = amounts(aws.transform(work))
    assert machines["machines, hours"] == pytest.approx(120_060 / 1.2 / 3600 * 0.115)  # 3.20
    job = amounts(gcp.job(work))
    assert job["CPU, vCPU-seconds"] == 0  # 120,060 / 0.6 = 200,100 s of 240,000
