"""Bills of Azure reckoned by hand from the table of prices, every figure written out."""

from __future__ import annotations

import pytest

from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.azure import costs as azure
from tests.toolkit.costs.bills import MODEL, TEN, amounts, planned


def test_azure_takes_a_second_a_request_until_an_instance_is_busy_all_month() -> None:
    """512 MB on Flex Consumption have a quarter of a CPU; ten million seconds are more than a month's 2,628,000."""
    told = amounts(azure.function(TEN))
    assert told["executions"] == pytest.approx(3.90)  # (10,000,000 - 250,000) x 0.0000004
    # 2,628,000 s x 0.5 GB = 1,314,000 GB-seconds; (1,314,000 - 100,000) x 0.000026
    assert told["compute, GB-seconds"] == pytest.approx(31.564)
    assert azure.function(TEN).total == pytest.approx(35.464)


def test_azure_with_an_instance_always_ready_a_bus_and_an_alert() -> None:
    work = Workload(MODEL, requests=1e6, sent=2000, received=1000, cold_share=0.0)
    told = planned(
        "azure", work, alwaysReadyInstances="1", serviceBusQueue="rows", alertEmail="ada@example.com", logRetentionDays="90"
    )
    assert told["memory kept ready"] == pytest.approx(21.024)  # 2,628,000 s x 2 GB x 0.000004
    assert told["compute of what is kept ready"] == pytest.approx(32.00)  # 1,000,000 s x 2 GB x 0.000016, none free
    assert told["executions where it is kept ready"] == pytest.approx(0.40)
    assert told["Service Bus, Standard"] == pytest.approx(9.81, abs=0.001)
    assert told["operations of queues"] == 0  # 3,000,000 of 13,000,000
    assert told["alerts, time series"] == pytest.approx(0.10)
    assert told["log kept beyond 31 days, GB"] == pytest.approx(0.3 * (90 - 31) / (365 / 12) * 0.10)
