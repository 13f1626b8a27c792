"""Bills of a Cloud Run service reckoned by hand from the table of prices."""

from __future__ import annotations

import pytest

from tests.toolkit.costs.bills import TEN, amounts, named, planned


def test_a_service_costs_what_a_function_costs() -> None:
    given = {"MIN_INSTANCES": "1", "MEMORY": "1Gi", "TRIGGER_TOPIC": "rows"}
    assert planned("cloudrun", TEN, **given) == planned("gcp", TEN, **given)


def test_an_instance_that_always_has_its_cpu_pays_no_requests() -> None:
    told = amounts(named("Cloud Run, CPU always", TEN))
    assert told["CPU, vCPU-seconds"] == pytest.approx(42.984)  # (2,628,000 - 240,000) x 0.000018
    assert told["memory, GiB-seconds"] == pytest.approx(1.728)  # (1,314,000 - 450,000) x 0.000002
    assert "requests" not in told
    assert planned("cloudrun", TEN, CPU_ALWAYS="true")["CPU, vCPU-seconds"] == pytest.approx(42.984)
