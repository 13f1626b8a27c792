"""Bills of Lambda reckoned by hand from the table of prices, every figure written out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flyweight.toolkit.costs.clients import saving
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.aws import costs as aws
from tests.toolkit.costs.bills import MODEL, TEN, amounts, planned


def test_lambda_behind_an_http_api() -> None:
    """512 MB have 512/1769 of a CPU, so that 10 ms take 34.55 ms."""
    told = amounts(aws.function(TEN))
    assert told["requests"] == pytest.approx(1.80)  # (10,000,000 - 1,000,000) x 0.0000002
    # 10,000,000 x 0.0345508 s x 0.5 GB = 172,754 GB-seconds, of which 400,000 are free
    assert told["compute, GB-seconds"] == 0
    assert told["HTTP API"] == pytest.approx(10.00)  # 10,000,000 x 0.000001
    assert told["data out, GB"] == 0  # 10 GB, of which 100 are free
    assert aws.function(TEN).total == pytest.approx(11.80)


def test_lambda_on_x86_with_2_gb_without_a_gateway() -> None:
    work = Workload(MODEL, requests=100e6, received=5000, cold_share=0.0, memory_mb=2048, architecture="x86_64", front="url")
    told = amounts(aws.function(work))
    assert told["requests"] == pytest.approx(19.80)  # 99,000,000 x 0.0000002
    # 100,000,000 x 0.01 s x 2 GB = 2,000,000 GB-seconds; 1,600,000 x 0.0000166667 = 26.66672
    assert told["compute, GB-seconds"] == pytest.approx(26.66672)
    assert told["data out, GB"] == pytest.approx(36.00)  # (500 - 100) x 0.09
    assert "HTTP API" not in told


def test_init_is_billed_for_each_cold_start() -> None:
    work = Workload(MODEL, requests=100e6, cold_share=0.01, memory_mb=2048, architecture="x86_64", front="url")
    told = amounts(aws.function(work))
    # 100,000,000 x 0.01 s x 2 GB = 2,000,000 GB-seconds use up what is free; 1,600,000 x 0.0000166667 = 26.66672
    assert told["compute, GB-seconds"] == pytest.approx(26.66672)
    # 1,000,000 cold starts x (0.2 - 0.01) s x 2 GB = 380,000 GB-seconds x 0.0000166667 = 6.333346
    assert told["INIT, GB-seconds"] == pytest.approx(6.333346)


def test_init_takes_what_compute_leaves_of_the_free_amount() -> None:
    told = amounts(aws.function(Workload(MODEL, requests=20e6, cold_share=0.05)))
    # 20,000,000 x 0.01 x 1769/512 s x 0.5 GB = 345,507.8125 GB-seconds: all free, 54,492.1875 are left
    assert told["compute, GB-seconds"] == 0
    # 1,000,000 x 0.19 s x 0.5 GB = 95,000; 40,507.8125 x 0.0000133334 = 0.540107
    assert told["INIT, GB-seconds"] == pytest.approx(0.540107, abs=1e-6)


def test_instances_kept_ready_and_snapshots_have_no_init_in_each_cold_start() -> None:
    ready = Workload(MODEL, requests=100e6, cold_share=0.01, warm_instances=1)
    assert "INIT, GB-seconds" not in amounts(aws.function(ready))
    assert "INIT, GB-seconds" not in planned("aws", Workload(MODEL, requests=100e6, cold_share=0.01), SnapStart="true")
    assert "INIT, GB-seconds" in planned("aws", Workload(MODEL, requests=100e6, cold_share=0.01))


def test_what_the_own_client_saves() -> None:
    work = Workload(MODEL, requests=100e6, cold_share=0.01, memory_mb=2048, architecture="x86_64", front="url")
    own = replace(MODEL, cold=0.1)
    # 1,000,000 cold starts x (0.2 - 0.1) s x 2 GB x 0.0000166667 = 3.33334
    assert saving(aws.FUNCTION, work, MODEL, own).dollars == pytest.approx(3.33334)
    assert saving(aws.FUNCTION, work, own, MODEL).dollars == pytest.approx(-3.33334)
    assert saving(aws.FUNCTION, work, MODEL, own).cold_starts == 1e6


def test_lambda_that_keeps_two_instances_ready_behind_a_rest_api() -> None:
    work = Workload(MODEL, requests=1e6, cold_share=0.0, memory_mb=1769, warm_instances=2, front="rest")
    told = amounts(aws.function(work))
    # 1,000,000 x 0.01 s x 1.7275390625 GB = 17,275.39 GB-seconds, all of them in what is kept: x 0.0000077778
    assert told["compute of instances kept ready"] == pytest.approx(0.13436, rel=1e-4)
    # 2 x 2,628,000 s x 1.7275390625 GB = 9,079,945.3 GB-seconds x 0.0000033334
    assert told["memory kept ready"] == pytest.approx(30.26709, rel=1e-5)
    assert told["compute, GB-seconds"] == 0
    assert told["REST API"] == pytest.approx(3.50)  # 1,000,000 x 0.0000035


def test_what_stands_around_lambda() -> None:
    told = planned("aws", TEN, Alarms="true", Dashboard="true", FilesBucket="files", ModelBucket="models", LogRetentionDays="30")
    # (300 + 462) bytes x 10,000,000 = 7.62 GB; (7.62 - 5) x 0.50
    assert told["log taken in, GB"] == pytest.approx(1.31)
    assert told["log kept, GB"] == pytest.approx(7.62 * 30 / (365 / 12) * 0.03)
    assert told["alarms"] == 0 and told["dashboard"] == 0 and told["metrics of the log"] == 0  # 10, 3 and 10 are free
    assert told["model kept, GB"] == pytest.approx(0.05 * 0.023)
    assert told["files kept, GB"] == pytest.approx((20 + 10) * 0.023)
    assert told["requests to queues"] == 0  # 5 polls each 20 s: 657,000 a month, of 1,000,000 that are free


def test_a_queue_and_a_table_of_results_instead_of_an_endpoint() -> None:
    told = planned("aws", TEN, Queue="true", Results="table", Endpoint="none", Tracing="true")
    assert "HTTP API" not in told
    # 657,000 polls + 3 x 10,000,000 - 1,000,000 free = 29,657,000 x 0.0000004
    assert told["requests to queues"] == pytest.approx(11.8628)
    assert told["results written"] == pytest.approx(6.25)  # 10,000,000 x 0.000000625
    # the first of each of 2,628,000 seconds, one in twenty of the others: 2,996,600, of which 100,000 are free, x 0.000005
    assert told["traces, at most"] == pytest.approx((2_628_000 * 0.95 + 10e6 * 0.05 - 100_000) * 0.000005)


def test_snapstart_and_a_bigger_tmp() -> None:
    work = Workload(MODEL, requests=10e6, cold_share=0.01)
    told = planned("aws", work, SnapStart="true")
    assert told["snapshot kept, GB-seconds"] == pytest.approx(0.5 * 2_628_000 * 0.0000015046)  # 1.98
    assert told["snapshots restored, GB"] == pytest.approx(100_000 * 0.5 * 0.0001397998)  # 6.99
    assert "/tmp beyond 512 MB, GB-seconds" not in told
    bigger = planned("aws", TEN, EphemeralStorage="1536")
    assert bigger["/tmp beyond 512 MB, GB-seconds"] == pytest.approx(10e6 * 0.01 * 1.0 * 0.0000000309)
