"""The table of prices: each figure with its source, its date, and whether it was confirmed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from flyweight.toolkit.costs import prices
from flyweight.toolkit.costs.limits import nearness
from flyweight.toolkit.costs.security import findings
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.deploying import Place, target

SOURCES = Path(prices.__file__).parent
WORK = Workload(Measured(0.1, 0.001, 16_000_000, 900_000))


def test_every_price_has_a_source_and_says_whether_it_was_confirmed() -> None:
    table = prices.table()
    assert date.fromisoformat(table["checked"])
    for name in table["prices"]:
        one = prices.price(name)
        assert one.value > 0 and one.unit and one.source.startswith("https://"), name
        assert one.confirmed == bool(one.seen), f"{name}: what was seen is quoted, or it is unconfirmed"


def test_every_price_is_used_and_no_other_file_has_figures_of_its_own() -> None:
    text = "".join(path.read_text() for path in SOURCES.glob("*.py"))
    named = set(re.findall(r'"([a-z0-9_]+(?:\.[a-z0-9_]+)+)"', text)) | {
        f"{service}.{kind}"
        for service in ("run", "aca")
        for kind in ("request", "free.request", "vcpu_second", "free.vcpu_second", "gib_second", "free.gib_second")
    }
    named |= {f"{cloud}.{kind}" for cloud in ("aws", "gcp", "azure") for kind in ("egress.gb", "free.egress.gb")}
    unused = {*prices.table()["prices"]} - named - {"lambda.gb_second.x86_64"}
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
    with pytest.raises(prices.Unpriced, match="no_such"):
        prices.price("no_such")


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure"])
def test_limits_follow_the_parameters(provider: str) -> None:
    settings = target(provider).settings(Place())
    near = nearness(provider, WORK, 0.05, 0.01, 0.2, settings)
    assert all(one.source and one.limit > 0 and one.verdict == "fine" for one in near)
    memory = {"aws": "MemorySize=128", "gcp": "MEMORY=64Mi", "azure": "instanceMemoryMB=512"}[provider]
    name, _, value = memory.partition("=")
    smaller = nearness(provider, WORK, 0.05, 0.01, 0.2, {**settings, name: value})
    limit = {one.what: one.limit for one in smaller}["memory, peak"]
    assert limit < {one.what: one.limit for one in near}["memory, peak"]


def test_a_limit_that_is_broken_is_said() -> None:
    from dataclasses import replace

    near = nearness("aws", replace(WORK, sent=7_000_000), 11.0, 0.01, 25.0, {"Timeout": "10"})
    told = {one.what: one.verdict for one in near}
    assert told["request"] == "too much"
    assert told["INIT, import and load"] == "too much"
    assert told["timeout, slowest answer"] == "too much"
    assert told["gateway in front, slowest answer"] == "near"


@pytest.mark.parametrize(
    ("document", "address", "settings", "expected"),
    [
        ({}, "", {"Access": "public"}, "anyone may call it"),
        ({}, "", {"PUBLIC": "true"}, "anyone may call it"),
        ({"engines": ["pickle"]}, "", {}, "loading it runs its code"),
        ({}, "s3://bucket/models/m@prod", {}, "decides what it answers"),
        ({"requires": {"numpy": "2.5"}}, "", {}, "installs numpy"),
        ({}, "", {"SERVICE_ACCOUNT": "", "OWN_ACCOUNT": "false"}, "default service account"),
        ({}, "", {"ReservedConcurrency": "-1"}, "caps the number of instances"),
    ],
)
def test_what_is_risky_is_found(document: dict[str, object], address: str, settings: dict[str, str], expected: str) -> None:
    (found,) = [one for one in findings(document, address, settings) if expected in one.what]
    assert found.do


def test_a_closed_deployment_of_plain_data_has_no_grave_finding() -> None:
    for provider in ("aws", "gcp", "azure"):
        settings = {**target(provider).settings(Place()), "OWN_ACCOUNT": "true"}
        assert not [one for one in findings({"engines": ["pure"]}, "", settings) if one.grave != "low"]
