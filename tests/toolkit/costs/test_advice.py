"""Bills never fall as traffic grows, crossovers are where curves cross, and every option is listed with its reason."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.toolkit import targets
from flyweight.toolkit.costs import residency
from flyweight.toolkit.costs.advice import TEAMS, Needs, advise, all_options, document
from flyweight.toolkit.costs.options import CRITERIA, Option
from flyweight.toolkit.costs.workload import Measured, Workload
from flyweight.toolkit.errors import Unpriced

OPTIONS = all_options()
# of whose platforms one has the bill of all: ways to install on a cluster, and on a device
SAME_BILL = ("kubernetes", "edge")

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
    memory_mb=st.sampled_from((128, 512, 1769, 4096, 9000)),
    runs=st.sampled_from((0, 1, 30)),
    architecture=st.sampled_from(("arm64", "x86_64")),
    cpus=st.sampled_from((0.5, 1.0, 2.0)),
    front=st.sampled_from(("http", "rest", "url", "none")),
)
needs = st.builds(
    Needs,
    clouds=st.sampled_from((("aws",), ("gcp", "azure"), ("aws", "gcp", "azure"))),
    residency=st.sampled_from(("any", "region", "premises", "device", "DE", "FI", "EU")),
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
        assert below.cost(before).total <= above.cost(before).total
        assert above.cost(at).total <= below.cost(at).total


@given(work=workloads)
@settings(max_examples=10, deadline=None)
def test_where_the_cheapest_changes_it_does(work: Workload) -> None:
    advice = advise(work, Needs())
    fit = [one.option for one in advice.considered if not one.excluded]
    totals = {option.name: option for option in fit}
    for change in advice.leading:
        least = min(option.cost(work.at(change.requests)).total for option in fit)
        assert totals[change.cheaper_above].cost(work.at(change.requests)).total == pytest.approx(least, abs=1e-6)


def test_all_families_and_clouds_are_compared() -> None:
    families = {option.family for option in OPTIONS}
    kinds = {"serverless", "managed endpoint", "virtual machine", "container", "cluster", "own hardware", "batch", "web page"}
    assert families == kinds
    for family in ("serverless", "managed endpoint", "virtual machine", "container", "batch", "web page"):
        assert {option.cloud for option in OPTIONS if option.family == family} >= {"aws", "gcp", "azure"}


def test_every_target_that_can_be_deployed_is_compared_on_each_of_its_platforms() -> None:
    for target in targets.all_targets():
        there = {option.platform for option in OPTIONS if option.target == target.name}
        assert there, target.name
        if target.name not in SAME_BILL:
            assert not target.platforms() or there == {*target.platforms()}, target.name


def test_little_traffic_is_served_best_by_functions_and_much_by_what_always_runs() -> None:
    few = advise(USUAL.at(1e5), Needs()).best
    assert few is not None and few.option.family == "serverless"
    on_google = advise(USUAL, Needs(clouds=("gcp",))).leading
    assert "Compute Engine machines" in {change.cheaper_above for change in on_google}


def test_who_can_not_wait_for_a_cold_start_gets_something_that_is_always_there() -> None:
    work = dataclasses.replace(USUAL, latency=30.0)
    advice = advise(work, Needs(team="backend"))
    assert advice.best is not None and advice.best.option.warm
    excluded = {one.option.name: one.excluded for one in advice.considered if one.excluded}
    assert "the requirement is 30 ms" in excluded["AWS Lambda"]
    kept = advise(dataclasses.replace(work, warm_instances=1), Needs())
    assert kept.best is not None and kept.best.option.family == "serverless"


def test_an_option_has_the_figures_of_its_own_target() -> None:
    own = Measured(0.4, 0.02, 3 * 2**30, 900_000)
    advice = advise(USUAL, Needs(), {"sagemaker": own})
    by_name = {one.option.name: one for one in advice.considered}
    serverless, function = by_name["SageMaker serverless"], by_name["AWS Lambda"]
    assert serverless.warm == pytest.approx(0.02 + 0.010) and serverless.slowest == pytest.approx(0.4 + 0.010)
    assert serverless.bill.total == serverless.option.bill(dataclasses.replace(USUAL, measured=own, memory_mb=own_mb(own))).total
    assert function.bill.total == function.option.bill(USUAL).total
    assert "the model takes 3,072 MB" not in serverless.excluded


def own_mb(measured: Measured) -> int:
    """The memory of an instance for these figures."""
    return Workload(measured).need_mb


def test_an_option_names_the_commands_that_make_it() -> None:
    for option in OPTIONS:
        told = option.commands("my model.safetensors")
        assert told["build"] == f"flyweight build {option.target} --model 'my model.safetensors'"
        if option.deploy:
            assert told["deploy"] == option.deploy and not option.settings
            continue
        assert told["deploy"].startswith(f"flyweight deploy {option.target} --model 'my model.safetensors'")
        assert all(f"--set {name}={value}" in told["deploy"] for name, value in option.settings.items())
        assert (f"--platform {option.platform}" in told["deploy"]) == bool(option.platform)


def test_an_option_that_no_target_makes_is_priced_and_not_recommended(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = dataclasses.replace(OPTIONS[0], name="Unknown parameter", settings={"Nothing": "1"})
    nowhere = dataclasses.replace(OPTIONS[0], name="Unknown platform", platform="moon")
    monkeypatch.setattr("flyweight.toolkit.costs.advice.all_options", lambda: [*OPTIONS, unknown, nowhere])
    by_name = {one.option.name: one for one in advise(USUAL, Needs()).considered}
    assert by_name["Unknown parameter"].excluded == f"it is priced only: infra/{unknown.target} has no parameter Nothing"
    assert "has no platform moon" in by_name["Unknown platform"].excluded
    assert by_name["Unknown parameter"].bill.total == by_name[OPTIONS[0].name].bill.total


def told(work: Workload, needs: Needs) -> dict[str, str]:
    """Why each option will not do; empty where it will."""
    return {one.option.name: one.excluded for one in advise(work, needs).considered}


def test_data_that_may_not_leave_the_premises_goes_to_no_cloud_and_has_no_bill_from_one() -> None:
    advice = advise(USUAL, Needs(residency="premises"))
    fit = [one for one in advice.considered if not one.excluded]
    assert {one.option.family for one in fit} == {"own hardware", "cluster"}
    assert all(one.bill.total == 0 for one in fit) and not advice.priced and not advice.leading


def test_data_that_has_to_stay_in_a_country_goes_to_clouds_with_a_region_there() -> None:
    reasons = told(USUAL, Needs(residency="FI"))
    assert reasons["Cloud Run function"] == "" and reasons["Kubernetes"] == ""
    assert reasons["AWS Lambda"] == "aws has no region in FI" and reasons["Azure Functions"] == "azure has no region in FI"
    assert not any(told(USUAL, Needs(residency="EU"))[name] for name in ("AWS Lambda", "Cloud Run function", "Azure Functions"))


def test_data_that_has_to_stay_in_a_region_says_what_leaves_it_and_weighs_that() -> None:
    anywhere, there = advise(USUAL, Needs()), advise(USUAL, Needs(residency="region"))
    before, after = ({one.option.name: one for one in told.considered} for told in (anywhere, there))
    function = "Cloud Run function"
    assert after[function].ratings["security"][0] == before[function].ratings["security"][0] - 1
    assert any("_Default" in line for line in after[function].mind) and not any(
        "_Default" in line for line in before[function].mind
    )
    assert after["AWS Lambda"].ratings["security"] == before["AWS Lambda"].ratings["security"]
    clouds = {entry["cloud"] for entry in document(there)["residency"]}
    assert clouds == {"aws", "gcp", "azure"} and not document(anywhere)["residency"]


@pytest.mark.parametrize("place", ["any", "region", "premises", "device", "de", "EU"])
def test_a_place_that_there_is_is_taken(place: str) -> None:
    assert residency.checked(place) in (place, place.upper())


def test_every_word_on_residency_has_a_source() -> None:
    for cloud in ("aws", "gcp", "azure"):
        told = list(residency.notes((cloud,), "region"))
        assert len(told) >= 2 and all(what and source for _, what, source in told)
        assert residency.regions(cloud, "DE") and not residency.regions(cloud, "AQ")


def test_a_place_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Unpriced, match="'XX'") as refused:
        residency.checked("XX")
    assert "DE" in refused.value.next_step
    with pytest.raises(Unpriced, match="no region 'moon'") as refused:
        residency.known_region("gcp", "moon")
    assert "europe-west1" in refused.value.next_step


def test_rows_that_may_not_leave_the_device_are_answered_in_the_browser_or_on_a_device() -> None:
    advice = advise(USUAL, Needs(residency="device"))
    fit = {one.option.target for one in advice.considered if not one.excluded}
    assert fit == {"browser", "edge"}
    assert advice.best is not None and advice.best.option.name == "Page on Cloudflare Pages"
    assert {option.target for option in advice.priced} == {"browser"}
    reasons = told(USUAL, Needs())
    assert "--residency device" in reasons["Page on S3"] and told(USUAL, Needs(residency="device"))["AWS Lambda"]


NIGHTLY = dataclasses.replace(USUAL, requests=6e9, rows=1000, sent=100_000, received=60_000, runs=30)  # 200 G rows a night
QUICKLY = Measured(1.0, 0.002, 200_000_000, 2_000_000)  # by the program that scores record batches


def test_a_large_batch_of_every_night_is_for_scheduled_jobs_and_for_spark_where_a_platform_team_runs_it() -> None:
    slowly = Measured(0.1, 0.02, 60_000_000, 900_000)  # a request to a function with the same rows
    work = dataclasses.replace(NIGHTLY, measured=slowly)
    by_job = dict.fromkeys(("scheduled", "spark"), QUICKLY)
    for cloud, job in (("aws", "AWS Batch"), ("gcp", "Cloud Run job")):
        best = advise(work, Needs(clouds=(cloud,), live=False), by_job).best
        assert best is not None and best.option.name == job
    best = advise(work, Needs(clouds=("gcp",), live=False, team="platform"), by_job).best
    assert best is not None and best.option.target == "spark"
    own = advise(work, Needs(residency="premises", live=False), by_job)
    assert {"hadoop", "scheduled", "spark"} <= {one.option.target for one in own.considered if not one.excluded}


def test_a_run_has_to_end_before_the_next_one_begins() -> None:
    work = dataclasses.replace(NIGHTLY, measured=QUICKLY)
    reasons = told(work, Needs(live=False))
    # 200 million requests of 2 ms by two processes of one replica take 2.3 days
    assert reasons["Container Apps job"] == "a run takes 2.31 days, and the next one begins after 24.3 hours"
    assert reasons["AWS Batch"] == ""


def test_what_the_model_can_not_be_built_for_is_not_recommended() -> None:
    advice = advise(USUAL, Needs(clouds=("cloudflare",)), unbuilt={"cloudflare": "it needs onnxruntime"})
    reasons = {one.option.name: one.excluded for one in advice.considered}
    assert reasons["Cloudflare Workers"] == "it can't be built: it needs onnxruntime"
    assert advice.best is None or advice.best.option.target != "cloudflare"


def test_files_by_night_are_for_those_who_do_not_wait() -> None:
    assert "a caller waits" in next(one.excluded for one in advise(USUAL, Needs()).considered if not one.option.live)
    best = advise(dataclasses.replace(USUAL.at(1e9), runs=30), Needs(live=False)).best
    assert best is not None and best.option.family == "batch"


@pytest.mark.parametrize(
    ("sent", "takes", "does_not"),
    [
        (2 * 2**20, "AWS Lambda", "Vertex AI endpoint"),
        (7 * 2**20, "Cloud Run function", "AWS Lambda"),
        (40 * 2**20, "Azure Functions", "Cloud Run function"),
        (200 * 2**20, "EC2 machines", "Azure Functions"),
    ],
)
def test_a_request_that_is_too_heavy_goes_where_it_is_taken(sent: int, takes: str, does_not: str) -> None:
    reasons = told(dataclasses.replace(USUAL, sent=sent), Needs())
    assert reasons[takes] == "" and "the limit is" in reasons[does_not]


def test_heavy_data_goes_by_files_whatever_a_request_may_weigh() -> None:
    heavy = dataclasses.replace(USUAL, sent=500 * 2**20, runs=30)
    best = advise(heavy, Needs(live=False)).best
    assert best is not None and best.option.family == "batch"


def test_a_model_that_is_too_big_goes_where_it_fits() -> None:
    big = dataclasses.replace(USUAL, measured=dataclasses.replace(USUAL.measured, memory=5 * 2**30, folder=300 * 2**20))
    reasons = told(dataclasses.replace(big, memory_mb=big.need_mb), Needs())
    assert "the limit is 250 MB" in reasons["AWS Lambda"] and "at most 4,096 MB" in reasons["Azure Functions"]
    assert reasons["Cloud Run function"] == ""


def test_a_bigger_data_set_costs_its_storage() -> None:
    light, heavy = (dataclasses.replace(USUAL, sent=sent, runs=30) for sent in (10**5, 10**6))
    option = next(option for option in OPTIONS if option.name == "Lambda by files")
    kept = [next(line.amount for line in option.bill(work).lines if line.what == "files kept, GB") for work in (light, heavy)]
    assert kept == [pytest.approx((1e6 * sent + 1e6 * 500) / 30 / 1e9 * 0.023) for sent in (1e5, 1e6)]


def test_the_document_has_all_of_it() -> None:
    told = document(advise(USUAL, Needs()))
    assert {"recommendation", "reasons", "options", "crossovers"} <= {*told}
    assert len(told["options"]) == len(OPTIONS)
