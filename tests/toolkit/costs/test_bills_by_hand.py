"""Bills reckoned by hand from the table of prices, every figure written out, two and more for each provider."""

from __future__ import annotations

import pytest

from flyweight.toolkit.costs import batch, serverless, servers
from flyweight.toolkit.costs.prices import Bill
from flyweight.toolkit.costs.resources import around, shaped
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.deploying import Deployment, target

# warm 10 ms, cold 200 ms, 100 MB of memory, a folder of 1 MB, 300 bytes of log a request
MODEL = Measured(cold=0.2, warm=0.01, memory=100_000_000, folder=1_000_000, logged=300)
TEN = Workload(MODEL, requests=10e6, sent=2000, received=1000, cold_share=0.0)


def amounts(bill: Bill) -> dict[str, float]:
    """Dollars by line."""
    return {line.what: line.amount for line in bill.lines}


def planned(provider: str, work: Workload, **given: str) -> dict[str, float]:
    """Dollars by line of what a place's parameters make, the function and what is around it."""
    place = Deployment(parameters=given)
    settings = target(provider).settings(place)
    there = shaped(provider, work, settings)
    kinds = [piece.kind for piece in target(provider).creates(place)]
    function = {"aws": serverless.aws, "gcp": serverless.gcp, "azure": serverless.azure}[provider](there)
    return {**amounts(function), **amounts(Bill(tuple(around(provider, there, settings, kinds, 50_000_000).lines)))}


def test_lambda_behind_an_http_api() -> None:
    """512 MB have 512/1769 of a CPU, so that 10 ms take 34.55 ms."""
    told = amounts(serverless.aws(TEN))
    assert told["requests"] == pytest.approx(1.80)  # (10,000,000 - 1,000,000) x 0.0000002
    # 10,000,000 x 0.0345508 s x 0.5 GB = 172,754 GB-seconds, of which 400,000 are free
    assert told["compute, GB-seconds"] == 0
    assert told["HTTP API"] == pytest.approx(10.00)  # 10,000,000 x 0.000001
    assert told["data out, GB"] == 0  # 10 GB, of which 100 are free
    assert serverless.aws(TEN).total == pytest.approx(11.80)


def test_lambda_on_x86_with_2_gb_without_a_gateway() -> None:
    work = Workload(MODEL, requests=100e6, received=5000, cold_share=0.0, memory_mb=2048, architecture="x86_64", front="url")
    told = amounts(serverless.aws(work))
    assert told["requests"] == pytest.approx(19.80)  # 99,000,000 x 0.0000002
    # 100,000,000 x 0.01 s x 2 GB = 2,000,000 GB-seconds; 1,600,000 x 0.0000166667 = 26.66672
    assert told["compute, GB-seconds"] == pytest.approx(26.66672)
    assert told["data out, GB"] == pytest.approx(36.00)  # (500 - 100) x 0.09
    assert "HTTP API" not in told


def test_lambda_that_keeps_two_instances_ready_behind_a_rest_api() -> None:
    work = Workload(MODEL, requests=1e6, cold_share=0.0, memory_mb=1769, warm_instances=2, front="rest")
    told = amounts(serverless.aws(work))
    # 1,000,000 x 0.01 s x 1.7275390625 GB = 17,275.39 GB-seconds, all of them in what is kept: x 0.0000077778
    assert told["compute of what is kept ready"] == pytest.approx(0.13436, rel=1e-4)
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
    assert told["traces, at the most"] == pytest.approx((2_628_000 * 0.95 + 10e6 * 0.05 - 100_000) * 0.000005)


def test_snapstart_and_a_bigger_tmp() -> None:
    work = Workload(MODEL, requests=10e6, cold_share=0.01)
    told = planned("aws", work, SnapStart="true")
    assert told["snapshot kept, GB-seconds"] == pytest.approx(0.5 * 2_628_000 * 0.0000015046)  # 1.98
    assert told["snapshots restored, GB"] == pytest.approx(100_000 * 0.5 * 0.0001397998)  # 6.99
    assert "/tmp beyond 512 MB, GB-seconds" not in told
    bigger = planned("aws", TEN, EphemeralStorage="1536")
    assert bigger["/tmp beyond 512 MB, GB-seconds"] == pytest.approx(10e6 * 0.01 * 1.0 * 0.0000000309)


def test_cloud_run_takes_100_ms_a_request_at_the_least() -> None:
    told = amounts(serverless.gcp(TEN))
    assert told["requests"] == pytest.approx(3.20)  # (10,000,000 - 2,000,000) x 0.0000004
    # 10,000,000 x 0.1 s = 1,000,000 s; (1,000,000 - 180,000) x 0.000024
    assert told["CPU, seconds"] == pytest.approx(19.68)
    assert told["memory, GiB-seconds"] == pytest.approx(0.35)  # (500,000 - 360,000) x 0.0000025
    assert told["data out, GB"] == pytest.approx(1.08)  # (10 - 1) x 0.12
    assert serverless.gcp(TEN).total == pytest.approx(24.31)


def test_cloud_run_with_one_instance_kept_and_a_topic_in_front() -> None:
    told = planned("gcp", TEN, MIN_INSTANCES="1", MEMORY="1Gi", TRIGGER_TOPIC="rows")
    assert told["CPU kept warm"] == pytest.approx(6.57)  # 2,628,000 x 0.0000025
    assert told["memory kept warm"] == pytest.approx(6.57)
    assert told["memory, GiB-seconds"] == pytest.approx(1.60)  # (1,000,000 - 360,000) x 0.0000025
    assert told["messages, GB in and out"] == pytest.approx((2 * 20 - 10) * 40 / 1024)  # 1.17
    assert told["log taken in, GB"] == 0  # 3 GB, of which 50 are free


def test_a_container_on_cloud_run_that_always_has_its_cpu() -> None:
    told = amounts(servers.run_service(TEN))
    assert told["CPU, vCPU-seconds"] == pytest.approx(42.984)  # (2,628,000 - 240,000) x 0.000018
    assert told["memory, GiB-seconds"] == pytest.approx(1.728)  # (1,314,000 - 450,000) x 0.000002


def test_azure_takes_a_second_a_request_until_an_instance_is_busy_all_month() -> None:
    """512 MB on Flex Consumption have a quarter of a CPU; ten million seconds are more than a month's 2,628,000."""
    told = amounts(serverless.azure(TEN))
    assert told["executions"] == pytest.approx(3.90)  # (10,000,000 - 250,000) x 0.0000004
    # 2,628,000 s x 0.5 GB = 1,314,000 GB-seconds; (1,314,000 - 100,000) x 0.000026
    assert told["compute, GB-seconds"] == pytest.approx(31.564)
    assert serverless.azure(TEN).total == pytest.approx(35.464)


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


def test_azure_machines_behind_a_balancer() -> None:
    """A tenth of a CPU each: 10 ms x 38 requests a second at the busiest take 0.38 of a CPU, at 60 of 100 seven machines."""
    told = amounts(next(option for option in servers.OPTIONS if option.name == "Azure machines").bill(TEN))
    assert told["machines"] == pytest.approx(7 * 730 * 0.0104)
    assert told["load balancer"] == pytest.approx(18.25)  # 730 x 0.025
    assert told["through it, GB"] == pytest.approx(0.15)  # 30 x 0.005


def test_an_endpoint_and_a_cluster_on_aws() -> None:
    endpoint = next(option for option in servers.OPTIONS if option.name == "SageMaker endpoint")
    assert endpoint.bill(TEN).total == pytest.approx(2 * 730 * 0.056)  # 81.76
    cluster = amounts(servers.kubernetes(TEN))
    assert cluster["control plane"] == pytest.approx(73) and cluster["nodes"] == pytest.approx(3 * 730 * 0.0168)
    assert cluster["its public addresses"] == pytest.approx(7.30)  # 2 x 730 x 0.005


def test_a_data_set_by_files_every_night() -> None:
    """200 million rows a night, 30 nights: 6 million requests of 1,000 rows, 100 kB each, answers of 60 kB."""
    work = Workload(
        Measured(0.2, 0.02, 10**8, 10**6), requests=6e6, rows=1000, sent=100_000, received=60_000, runs=30, memory_mb=1769
    )
    told = amounts(batch.by_aws(work))
    # 6,000,000 x 0.02 s = 120,000 s in calls of 10 s: 12,000, of which 300 start cold for 0.2 s; 120,060 s x 1.7275 GB are free
    assert told["requests"] == 0 and told["compute, GB-seconds"] == 0
    assert told["files kept, GB"] == pytest.approx((600 + 360) / 30 * 0.023)  # 0.736
    assert told["parts and answers written"] == pytest.approx(2 * 360e9 / 8_388_608 * 0.000005)  # 0.43
    machines = amounts(batch.transform(work))
    assert machines["machines, hours"] == pytest.approx(120_060 / 1.2 / 3600 * 0.115)  # 3.20
    job = amounts(batch.job(work))
    assert job["CPU, vCPU-seconds"] == 0  # 120,060 / 0.6 = 200,100 s of 240,000
