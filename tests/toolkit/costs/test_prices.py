"""The table of prices: each figure with its source, its date, and whether it was confirmed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from flyweight.toolkit import targets
from flyweight.toolkit.costs import prices
from flyweight.toolkit.costs.limits import limits, nearness, payloads
from flyweight.toolkit.costs.security import findings
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.deploying import Deployment, deployer
from flyweight.toolkit.errors import Unpriced

SOURCES = [*Path(prices.__file__).parent.glob("*.py"), *Path(targets.__file__).parent.rglob("costs.py")]
PRICED = [target.name for target in targets.all_targets() if target.has("costs")]
WORK = Workload(Measured(0.1, 0.001, 16_000_000, 900_000))


def test_every_price_has_a_source_and_says_where_when_and_by_whom_it_was_seen() -> None:
    checked = date.fromisoformat(prices.checked())
    for name, one in prices.all_prices().items():
        assert one.value > 0 and one.unit and one.source.startswith("https://"), name
        assert bool(one.seen) == bool(one.seen_at) == bool(one.date), f"{name}: quoted with where and when, or unconfirmed"
        if one.confirmed:
            assert one.by in ("provider", "price list", "third party"), name
            assert date(2024, 1, 1) <= date.fromisoformat(one.date) <= checked, name


def test_the_quotation_has_the_figure() -> None:
    """Each price, or so many times it as are named, or its amount of a month, stands in what was seen."""
    odd = {
        "apigateway.rest.request.beyond": 1867.60 / 667e6, "dynamodb.write": 1.88 / 3e6, "aws.egress.gb": 921.60 / 10240,
        "pubsub.gb": 40 / 1024, "kubernetes.hour": 73 / 730, "azureml.hour": 106.58 / 730, "azurevm.hour": 7.59 / 730,
        "appservice.hour": 12.41 / 730, "ebs.gb": 0.80 / 10, "fargate.vcpu_hour": 29.55 / 730, "fargate.gb_hour": 6.49 / 730 / 2,
        "servicebus.hour": 9.81 / 730, "eventhubs.hour": 21.90 / 730, "azure.logs.kept.gb": 100 / 1000, "flex.request": 4e-6 / 10,
        "flex.ready.request": 4e-7 * 0.370439 / 0.371,
    }  # fmt: skip
    for name, one in prices.all_prices().items():
        if name in odd:
            assert one.value == pytest.approx(odd[name], rel=0.005), name
            continue
        if not one.confirmed:
            continue
        figures = [float(text.replace(",", "")) for text in re.findall(r"\d[\d,]*(?:\.\d+)?", one.seen.replace("million", "e6"))]
        words = {"one": 1e6} if "one million" in one.seen else {}
        scales = (1.0, 1e-3, 1e-4, 1e-5, 1e-6, 1e6, 1e3)
        assert any(one.value == pytest.approx(figure * scale) for figure in (*figures, *words.values()) for scale in scales), name


def test_every_price_is_used_and_no_other_file_has_figures_of_its_own() -> None:
    text = "".join(path.read_text() for path in SOURCES)
    named = set(re.findall(r'f?"([a-z0-9_{}]+(?:\.[a-z0-9_{}]+)+)"', text))
    patterns = [re.compile(re.sub(r"\\{\w+\\}", r"[a-z0-9_.]*", re.escape(name))) for name in named]
    unused = {name for name in prices.all_prices() if not any(pattern.fullmatch(name) for pattern in patterns)}
    assert unused == set()
    assert not re.search(r"\b0\.0000\d+|\b\d\.\d+e-0?[4-9]", text)


def test_free_amounts_are_taken_off_first() -> None:
    assert prices.metered("requests", 1e6, "lambda.request", "lambda.free.request").amount == 0
    assert prices.metered("requests", 3e6, "lambda.request", "lambda.free.request").amount == pytest.approx(0.40)


def test_tiers_are_counted_apart() -> None:
    tiers = ((300e6, "apigateway.http.request"), (float("inf"), "apigateway.http.request.beyond"))
    assert prices.tiered("API", 400e6, tiers).amount == pytest.approx(300 + 90)


def test_the_published_example_of_lambda_comes_out() -> None:
    """Three million requests of 120 ms with 1,536 MB on x86 are $2.73 in AWS's own example."""
    seconds = 3e6 * 0.12 * 1.5
    rate = prices.price("lambda.gb_second.x86_64").value
    free = prices.price("lambda.free.gb_second").value
    requests = prices.metered("requests", 3e6, "lambda.request", "lambda.free.request").amount
    assert round((seconds - free) * rate + requests, 2) == 2.73


def test_a_price_that_is_not_there_is_named() -> None:
    with pytest.raises(Unpriced, match="no_such"):
        prices.price("no_such")


@pytest.mark.parametrize("provider", PRICED)
def test_limits_follow_the_parameters(provider: str) -> None:
    settings = deployer(provider).settings(Deployment())
    near = nearness(provider, WORK, 0.05, 0.01, 0.2, settings)
    assert all(one.source and one.limit > 0 and one.verdict == "fine" for one in near)
    there = {one.what: one.limit for one in near}
    given = [one["parameter"] for one in limits(provider) if one["measure"] == "memory" and one.get("parameter") in settings]
    for name in given[:1]:
        unit = settings[name].lstrip("0123456789")
        smaller = nearness(provider, WORK, 0.05, 0.01, 0.2, {**settings, name: f"64{unit}"})
        assert {one.what: one.limit for one in smaller}["memory, peak"] == 64 * 2**20 < there["memory, peak"]


def test_functions_have_their_memory_from_a_parameter() -> None:
    """So that the claim above is not empty."""
    with_one = {name for name in PRICED for one in limits(name) if one["measure"] == "memory" and one.get("parameter")}
    assert {"aws", "azure", "cloudrun", "docker", "gcp", "sagemaker"} <= with_one


def test_a_limit_that_is_broken_is_said() -> None:
    from dataclasses import replace

    near = nearness("aws", replace(WORK, sent=7_000_000), 11.0, 0.01, 25.0, {"Timeout": "10"})
    told = {one.what: one.verdict for one in near}
    assert told["request"] == "too much"
    assert told["INIT, import and load"] == "too much"
    assert told["timeout, slowest answer"] == "too much"
    assert told["gateway in front, slowest answer"] == "near"


def test_limits_are_those_of_what_stands_in_front() -> None:
    def seen(**given: str) -> dict[str, float]:
        settings = {**deployer("aws").settings(Deployment()), **given}
        return {one.what: one.limit for one in nearness("aws", WORK, 0.05, 0.01, 0.2, settings)}

    assert seen()["gateway in front, slowest answer"] == 30
    keyed = seen(Access="api-key")
    assert keyed["gateway in front, slowest answer"] == 29 and keyed["requests a day and key"] == 100_000
    assert "gateway in front, slowest answer" not in seen(Endpoint="function-url")
    assert seen()["instances at once"] == 1000 and seen(ReservedConcurrency="7")["instances at once"] == 7


def test_a_parameter_that_is_no_number_is_refused() -> None:
    with pytest.raises(Unpriced, match="MemorySize should be a number"):
        nearness("aws", WORK, 0.05, 0.01, 0.2, {"MemorySize": "lots"})


def test_every_limit_says_what_was_read_where() -> None:
    for target in PRICED:
        assert all(one["source"] and one["seen"] for one in limits(target))
    assert all(one["source"] and one["seen"] for one in payloads().values())


@pytest.mark.parametrize(
    ("document", "address", "settings", "expected"),
    [
        ({}, "", {"Access": "public"}, "anyone may call it"),
        ({}, "", {"PUBLIC": "true"}, "anyone may call it"),
        ({"engines": ["pickle"]}, "", {}, "loading it runs its code"),
        ({}, "s3://bucket/models/m@prod", {}, "controls its answers"),
        ({"requires": {"numpy": "2.5"}}, "", {}, "installs numpy"),
        ({}, "", {"SERVICE_ACCOUNT": "", "OWN_ACCOUNT": "false"}, "default service account"),
        ({}, "", {"ReservedConcurrency": "-1"}, "the number of instances"),
    ],
)
def test_what_is_risky_is_found(document: dict[str, object], address: str, settings: dict[str, str], expected: str) -> None:
    (found,) = [one for one in findings(document, address, settings) if expected in one.what]
    assert found.do


def test_a_closed_deployment_of_plain_data_has_no_grave_finding() -> None:
    for provider in PRICED:
        settings = {**deployer(provider).settings(Deployment()), "OWN_ACCOUNT": "true"}
        assert not [one for one in findings({"engines": ["pure"]}, "", settings) if one.grave != "low"]
