"""Bills never fall as traffic grows, crossovers are where curves cross, and every option is listed with its reason."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.toolkit.costs.advice import CRITERIA, OPTIONS, TEAMS, Needs, advise, document, leading
from flyweight.toolkit.costs.options import Option
from flyweight.toolkit.costs.workload import Measured, Workload

measured = st.builds(
    Measured,
    cold=st.floats(0.01, 5.0),
    warm=st.floats(1e-5, 1.0),
    memory=st.integers(10**6, 10**9),
    folder=st.integers(10**5, 10**8),
)
workloads = st.builds(
    Workload,
    measured=measured,
    requests=st.floats(0, 1e10),
    rows=st.integers(1, 1000),
    peak=st.floats(1, 100),
    sent=st.integers(1, 10**6),
    received=st.integers(1, 10**6),
    latency=st.sampled_from((0.0, 20.0, 200.0)),
    cold_share=st.floats(0, 1),
    warm_instances=st.integers(0, 5),
    memory_mb=st.sampled_from((128, 512, 1769, 4096)),
)
needs = st.builds(
    Needs,
    clouds=st.sampled_from((("aws",), ("gcp", "azure"), ("aws", "gcp", "azure"))),
    residency=st.sampled_from(("any", "region", "premises")),
    live=st.booleans(),
    team=st.sampled_from(sorted(TEAMS)),
)
USUAL = Workload(Measured(0.055, 0.001, 16_000_000, 900_000))
each = pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)


@each
@given(work=workloads, more=st.floats(1.0, 1000.0))
@settings(max_examples=60, deadline=None)
def test_a_bill_never_falls_as_traffic_grows(option: Option, work: Workload, more: float) -> None:
    less, greater = option.bill(work).total, option.bill(work.at(work.requests * more)).total
    assert 0 <= less <= greater * (1 + 1e-12) + 1e-12


@each
@given(work=workloads)
@settings(max_examples=20, deadline=None)
def test_a_bill_is_the_sum_of_lines_that_show_their_arithmetic(option: Option, work: Workload) -> None:
    bill = option.bill(work)
    assert bill.total == sum(line.amount for line in bill.lines)
    assert all(line.what and line.arithmetic and line.amount >= 0 for line in bill.lines)
    assert all(line.confirmed or "unconfirmed" in line.arithmetic for line in bill.lines)


@given(work=workloads, wanted=needs)
@settings(max_examples=15, deadline=None)
def test_every_option_is_listed_with_its_reason_and_ratings(work: Workload, wanted: Needs) -> None:
    advice = advise(work, wanted)
    assert sorted(one.option.name for one in advice.considered) == sorted(option.name for option in OPTIONS)
    for one in advice.considered:
        assert one.why
        assert {*one.ratings} == {*CRITERIA}
        assert all(1 <= value <= 5 and reason for value, reason in one.ratings.values())
    suitable = [one.score for one in advice.considered if not one.excluded]
    assert suitable == sorted(suitable, reverse=True)
    assert advice.reasons()


@given(work=workloads, wanted=needs)
@settings(max_examples=15, deadline=None)
def test_crossovers_are_where_the_curves_cross(work: Workload, wanted: Needs) -> None:
    by_name = {option.name: option for option in OPTIONS}
    for crossing in advise(work, wanted).crossovers:
        below, above = by_name[crossing.cheaper_below], by_name[crossing.cheaper_above]
        before, at = work.at(crossing.requests - 1), work.at(crossing.requests)
        assert below.bill(before).total <= above.bill(before).total
        assert above.bill(at).total <= below.bill(at).total


@given(work=workloads)
@settings(max_examples=10, deadline=None)
def test_where_the_cheapest_changes_it_does(work: Workload) -> None:
    advice = advise(work, Needs())
    fit = [one.option for one in advice.considered if not one.excluded and one.option.family != "edge"]
    totals = {option.name: option for option in fit}
    for change in leading(advice):
        least = min(option.bill(work.at(change.requests)).total for option in fit)
        assert totals[change.cheaper_above].bill(work.at(change.requests)).total == pytest.approx(least, abs=1e-6)


def test_all_families_and_clouds_are_compared() -> None:
    families = {option.family for option in OPTIONS}
    assert families == {"serverless", "managed endpoint", "virtual machine", "container", "kubernetes", "edge", "batch"}
    for family in ("serverless", "managed endpoint", "virtual machine", "container"):
        assert {option.cloud for option in OPTIONS if option.family == family} == {"aws", "gcp", "azure"}


def test_little_traffic_is_served_best_by_functions_and_much_by_what_always_runs() -> None:
    few = advise(USUAL.at(1e5), Needs()).best
    assert few is not None and few.option.family == "serverless"
    assert [change.cheaper_above for change in leading(advise(USUAL, Needs()))][-1] == "EC2 machines"


def test_who_can_not_wait_for_a_cold_start_gets_something_that_is_always_there() -> None:
    work = dataclasses.replace(USUAL, latency=30.0)
    advice = advise(work, Needs(team="backend"))
    assert advice.best is not None and advice.best.option.warm
    excluded = {one.option.name: one.excluded for one in advice.considered if one.excluded}
    assert "30 ms are asked for" in excluded["AWS Lambda"]
    kept = advise(dataclasses.replace(work, warm_instances=1), Needs())
    assert kept.best is not None and kept.best.option.family == "serverless"


def test_data_that_may_not_leave_the_premises_goes_to_no_cloud() -> None:
    advice = advise(USUAL, Needs(residency="premises"))
    assert {one.option.family for one in advice.considered if not one.excluded} == {"edge", "kubernetes"}


def test_files_by_night_are_for_those_who_do_not_wait() -> None:
    assert "somebody waits" in next(one.excluded for one in advise(USUAL, Needs()).considered if not one.option.live)
    best = advise(USUAL.at(1e9), Needs(live=False)).best
    assert best is not None and best.option.family == "batch"


def test_the_document_has_all_of_it() -> None:
    told = document(advise(USUAL, Needs()))
    assert {"recommendation", "reasons", "options", "crossovers"} <= {*told}
    assert len(told["options"]) == len(OPTIONS)
