"""A data set's bill reckoned by hand from the table of prices; bills of single targets stand in `tests/targets/NAME`."""

from __future__ import annotations

import pytest

from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.targets.aws import costs as aws
from tests.toolkit.costs.bills import amounts, named


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
    machines = amounts(named("SageMaker batch transform", work))
    assert machines["machines, hours"] == pytest.approx(120_060 / 1.2 / 3600 * 0.115)  # 3.20
    pool = amounts(named("Azure ML batch endpoint", work))
    assert pool["machines, hours"] == pytest.approx(120_060 / 1.2 / 3600 * 0.146)  # 4.06
