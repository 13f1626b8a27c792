"""Bills of SageMaker reckoned by hand from the table of prices, every figure written out."""

from __future__ import annotations

import pytest

from flyweight.toolkit.costs.advice import all_options
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.errors import Unpriced
from tests.toolkit.costs.bills import MODEL, TEN, amounts, named, planned


def test_two_small_instances_and_the_data_that_they_process() -> None:
    told = amounts(named("SageMaker endpoint", TEN))
    assert told["instances (ml.t2.medium)"] == pytest.approx(2 * 730 * 0.056)  # 81.76
    assert told["data in and out, GB"] == pytest.approx(0.48)  # (20 + 10) x 0.016


def test_a_serverless_endpoint_is_billed_by_the_millisecond_and_the_gigabyte() -> None:
    """1,024 MB are taken to have 1024/1769 of a CPU, so that 10 ms take 17.275 ms."""
    told = amounts(named("SageMaker serverless", TEN))
    # 10,000,000 x 0.01727539 s x 1 GB = 172,753.9 GB-seconds x 0.00002
    assert told["compute, GB-seconds"] == pytest.approx(3.455078, rel=1e-6)
    larger = Workload(MODEL, requests=1e6, memory_mb=2500)
    # 3 GB have a whole CPU: 1,000,000 x 0.01 s x 3 GB = 30,000 GB-seconds x 0.00002
    assert amounts(named("SageMaker serverless", larger))["compute, GB-seconds"] == pytest.approx(0.60)


def test_instances_that_are_kept_started_have_no_recorded_price_and_are_not_counted_on() -> None:
    option = next(one for one in all_options() if one.name == "SageMaker serverless")
    kept = Workload(MODEL, cold_share=0.01, warm_instances=1)
    assert option.latency(kept) == option.latency(Workload(MODEL, cold_share=0.01))


def test_a_plan_prices_the_kind_and_the_instances_of_its_parameters() -> None:
    told = planned("sagemaker", TEN, Kind="realtime", MinInstances="3", AlarmTopic="arn:aws:sns:eu-west-1:123456789012:team")
    assert told["instances (ml.m5.large)"] == pytest.approx(3 * 730 * 0.115)  # 251.85
    assert told["log taken in, GB"] == 0 and told["image kept, GB"] == pytest.approx(0.0001)  # 1 MB x 0.10
    assert "compute, GB-seconds" in planned("sagemaker", TEN)
    assert planned("sagemaker", TEN, Kind="multi")["instances (ml.m5.large)"] == pytest.approx(730 * 0.115)
    assert planned("sagemaker", TEN, Kind="transform")["machines, hours"] > 0


def test_an_instance_without_a_recorded_price_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(Unpriced, match=r"the price of ml\.c5\.xlarge is not recorded") as refused:
        planned("sagemaker", TEN, Kind="realtime", InstanceType="ml.c5.xlarge")
    assert "ml.m5.large" in refused.value.next_step
