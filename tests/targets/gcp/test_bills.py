"""Bills of Cloud Run reckoned by hand from the table of prices, every figure written out."""

from __future__ import annotations

import pytest

from flyweight.toolkit.targets.gcp import costs as gcp
from tests.toolkit.costs.bills import TEN, amounts, planned


def test_cloud_run_takes_100_ms_a_request_at_the_least() -> None:
    told = amounts(gcp.function(TEN))
    assert told["requests"] == pytest.approx(3.20)  # (10,000,000 - 2,000,000) x 0.0000004
    # 10,000,000 x 0.1 s = 1,000,000 s; (1,000,000 - 180,000) x 0.000024
    assert told["CPU, seconds"] == pytest.approx(19.68)
    assert told["memory, GiB-seconds"] == pytest.approx(0.35)  # (500,000 - 360,000) x 0.0000025
    assert told["data out, GB"] == pytest.approx(1.08)  # (10 - 1) x 0.12
    assert gcp.function(TEN).total == pytest.approx(24.31)


def test_cloud_run_with_one_instance_kept_and_a_topic_in_front() -> None:
    told = planned("gcp", TEN, MIN_INSTANCES="1", MEMORY="1Gi", TRIGGER_TOPIC="rows")
    assert told["CPU kept warm"] == pytest.approx(6.57)  # 2,628,000 x 0.0000025
    assert told["memory kept warm"] == pytest.approx(6.57)
    assert told["memory, GiB-seconds"] == pytest.approx(1.60)  # (1,000,000 - 360,000) x 0.0000025
    assert told["messages, GB in and out"] == pytest.approx((2 * 20 - 10) * 40 / 1024)  # 1.17
    assert told["log taken in, GB"] == 0  # 3 GB, of which 50 are free
