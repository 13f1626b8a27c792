"""The verbs, run whole: measured in real runtimes, shown for people and as JSON, drawn."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file

from flyweight import predictor
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.packing import model_writer

QUICK = ("--runs", "1", "--repeat", "5")
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `flyweight` on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "250")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)

    return call


@pytest.fixture(scope="module")
def needing(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins model, saying that its engine needs the small joblib."""
    path = tmp_path_factory.mktemp("needing") / "model.safetensors"
    wanted = {**predictor.load(str(penguins)).file.document, "requires": {"joblib": version("joblib")}}
    model_writer.write(path, model_writer.to_bytes(wanted, load_file(penguins)))
    return path


@pytest.mark.parametrize(
    "provider",
    [
        pytest.param(name, marks=[pytest.mark.needs("pyodide")] if name in ("browser", "cloudflare") else [])
        for name in targets.names()
    ],
)
def test_a_plan_explains_before_anything_is_made(provider: str, run: Run, penguins: Path) -> None:
    platform = targets.find(provider).platforms()[:1]
    result = run("plan", provider, *(["--platform", *platform] if platform else []), "--model", penguins, *QUICK)
    assert result.exit_code == 0, result.output
    for part in (
        "creates",
        "limits",
        "security",
        "peak memory",
        "requests a month",
        "arithmetic",
        "list prices of",
        "expected cold start with",
    ):
        assert part in result.stdout, part


def test_a_plan_as_json_has_what_the_tables_have(run: Run, penguins: Path) -> None:
    told = json.loads(run("plan", "aws", "--model", penguins, *QUICK, "--requests", "2M", "--json").stdout)
    assert {"creates", "measured", "limits", "security", "bill", "others", "notes", "prices_checked"} <= {*told}
    functions = {"Cloud Run function", "Cloud Run service", "Azure Functions", "SageMaker serverless", "Cloudflare Workers"}
    assert {*told["others"]} == functions
    assert told["option"] == "AWS Lambda"
    assert told["bill"]["dollars_a_month"] > 0 and told["expected_cold_ms"] > 0
    assert told["measured"]["cold"] > told["measured"]["warm"] > 0 and told["measured"]["memory"] > 1e6


def test_a_plan_prices_what_its_parameters_make(run: Run, penguins: Path) -> None:
    asked = ("--set", "Endpoint=function-url", "--set", "ProvisionedConcurrency=1", "--set", "Alarms=true")
    told = json.loads(run("plan", "aws", "--model", penguins, *QUICK, *asked, "--json").stdout)
    lines = {line["what"]: line["dollars"] for line in told["bill"]["lines"]}
    assert "HTTP API" not in lines and {"alarms", "memory kept ready", "log taken in, GB"} <= {*lines}
    assert lines["memory kept ready"] == pytest.approx(0.5 * 2_628_000 * 0.0000033334, abs=1e-3)


def test_a_plan_prices_init_and_measures_both_clients(run: Run, penguins: Path) -> None:
    told = json.loads(run("plan", "aws", "--model", penguins, *QUICK, "--requests", "500M", "--json").stdout)
    assert next(line for line in told["bill"]["lines"] if line["what"] == "INIT, GB-seconds")["dollars"] > 0
    assert told["own_client"]["cold_starts"] == 5e6 and told["own_client"]["own_cold_ms"] > 0
    assert told["measured"]["runtime"].startswith("awslambdaric")
    shown = run("plan", "aws", "--model", penguins, *QUICK, "--set", "Client=own").stdout
    assert "measured here: flyweight's client on Python" in shown and "with 10,000 cold starts" in shown
    assert json.loads(run("plan", "gcp", "--model", penguins, *QUICK, "--json").stdout)["own_client"] is None


def test_packages_that_an_engine_needs_are_in_the_folders_size(
    run: Run, needing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(run("plan", "aws", "--model", needing, *QUICK, "--json").stdout)
    (folder,) = [one for one in told["limits"] if one["what"] == "folder, unzipped"]
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    without = json.loads(run("plan", "aws", "--model", needing, *QUICK, "--json").stdout)
    assert "no packages for Python" in without["measured"]["missing"]
    assert folder["ours"] == told["measured"]["folder"] > without["measured"]["folder"] + 500_000
    assert "without packages: no packages for Python" in run("plan", "aws", "--model", needing, *QUICK).stdout


def test_what_the_function_logs_is_measured(run: Run, penguins: Path) -> None:
    told = json.loads(run("plan", "gcp", "--model", penguins, *QUICK, "--json").stdout)
    assert 100 < told["measured"]["logged"] < 1000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "aws", "--region", "moon"), "aws has no region 'moon'"),
        (("plan", "aws", "--set", "Foo=1"), "infra/aws has no parameter Foo"),
        (("plan", "aws", "--set", "MemorySize=lots"), "MemorySize should be a number"),
        (("plan", "azure", "--set", "model"), "expected NAME=VALUE"),
        (("advise", "--residency", "moon"), "no cloud has a region in 'moon'"),
        (("plan", "aws", "--requests", "-1"), "expected a number like 500k"),
        (("advise", "--latency", "-1"), "not in the range"),
        (("advise", "-o", "picture.webp"), "give a path that ends in one of .svg, .png, .pdf"),
    ],
)
def test_what_can_not_be_is_refused_with_what_can(arguments: tuple[str, ...], said: str, run: Run, penguins: Path) -> None:
    result = run(*arguments, "--model", penguins, *QUICK)
    assert result.exit_code in (1, 2) and said in result.stderr


@pytest.mark.parametrize("verb", [("plan", "aws"), ("advise",)])
def test_a_model_that_is_not_there_is_named(verb: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    result = run(*verb, "--model", tmp_path / "none.safetensors")
    assert result.exit_code == 1 and "does not exist" in result.stderr and "flyweight pack" in result.stderr


@pytest.mark.parametrize("verb", ["plan", "advise"])
def test_help_has_examples(verb: str, run: Run) -> None:
    assert f"flyweight {verb} " in run(verb, "--help").stdout.partition("Examples:")[2]


@pytest.mark.usefixtures("measured_once")
def test_advice_is_shown_and_drawn(run: Run, penguins: Path, tmp_path: Path) -> None:
    picture = tmp_path / "advice.svg"
    result = run("advise", "--model", penguins, *QUICK, "--requests", "5M", "-o", picture)
    assert result.exit_code == 0, result.output
    for part in (
        "recommended: ",
        "its bill",
        "where the cheapest option changes",
        "every option",
        "Kubernetes",
        "Your own machine",
        "Lambda by files",
        "measured here",
        "functions-framework",
        "flyweight build ",
        "flyweight deploy ",
    ):
        assert part in result.stdout, part
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("PDF", b"%PDF-")])
def test_the_same_advice_is_drawn_the_same_in_the_format_of_the_suffix(suffix: str, start: bytes, tmp_path: Path) -> None:
    from flyweight.toolkit.costs.advice import Needs, advise
    from flyweight.toolkit.costs.picture import draw
    from flyweight.toolkit.costs.workload import Measured, Workload

    advice = advise(Workload(Measured(0.055, 0.001, 16_000_000, 900_000)), Needs())
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    draw(advice, one)
    draw(advice, other)
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().startswith(start)


@pytest.mark.usefixtures("measured_once")
def test_advice_as_json_names_one_and_why(run: Run, penguins: Path) -> None:
    told = json.loads(run("advise", "--model", penguins, *QUICK, "--cloud", "gcp", "--json").stdout)
    assert told["recommendation"].startswith("Cloud Run") and told["reasons"] and told["cheapest_changes"]
    assert all(option["reason"] for option in told["options"])
    chosen = next(option for option in told["options"] if option["option"] == told["recommendation"])
    assert told["commands"]["build"] == f"flyweight build {chosen['target']} --model {penguins}"
    names = [name for one in told["measured"] for name in one["targets"]]
    assert len(names) == len({*names}) and {"gcp", "cloudrun"} <= {*names} and not {"aws", "azure", "sagemaker"} & {*names}
    assert all(
        one["cold_ms"] > one["warm_ms"] > 0 and one["memory_bytes"] > 1e6 for one in told["measured"] if "problem" not in one
    )


def test_what_runs_alike_is_measured_once() -> None:
    from flyweight.toolkit.costs.runtimes import alike

    groups = alike([targets.find(name) for name in ("aws", "docker", "gcp", "sagemaker")])
    assert groups == [("aws",), ("docker", "sagemaker"), ("gcp",)]
    assert alike([targets.find(name) for name in ("hadoop", "scheduled", "spark")]) == [("hadoop",), ("scheduled", "spark")]


def test_a_job_is_measured_by_its_own_rows(run: Run, penguins: Path) -> None:
    told = json.loads(run("plan", "hadoop", "--model", penguins, "--rows", "1000", "--json").stdout)
    one = json.loads(run("plan", "hadoop", "--model", penguins, "--json").stdout)
    assert told["measured"]["runtime"].startswith("Hadoop streaming's mapper") and told["measured"]["cold"] > 0.01
    assert told["measured"]["sent"] == pytest.approx(1000 * one["measured"]["sent"], rel=0.01)
    assert 300 < told["measured"]["warm"] / one["measured"]["warm"] < 3000
    assert told["bill"]["dollars_a_month"] == 0 and "not priced here" in told["bill"]["lines"][0]["arithmetic"]


def test_a_job_that_fails_is_named(tmp_path: Path) -> None:
    from flyweight.toolkit.costs import batch_run
    from flyweight.toolkit.errors import RuntimeFailed

    with pytest.raises(RuntimeFailed, match="has no mapper") as refused:
        batch_run.measured("hadoop", tmp_path, [{"x": 1.0}])
    assert "flyweight build hadoop" in refused.value.next_step


def test_a_runtime_that_is_not_here_is_named_and_others_are_measured(
    run: Run, penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = targets.find("gcp").runtime
    monkeypatch.setattr(runtime, "PACKAGES", ("no-such-package",))
    shown = run("advise", "--model", penguins, *QUICK, "--cloud", "gcp").stdout
    assert "not measured, taken as " in shown and "the gcp runtime needs no-such-package" in shown
    monkeypatch.setattr("flyweight.toolkit.targets.runtime.Runtime.PACKAGES", ("no-such-package",))
    monkeypatch.setattr(targets.find("cloudrun").runtime, "PACKAGES", ("no-such-package",))
    none = run("advise", "--model", penguins, *QUICK, "--cloud", "gcp")
    assert none.exit_code == 1 and "no runtime could be run here" in none.stderr and "next: " in none.stderr


@pytest.mark.usefixtures("measured_once")
def test_a_data_set_is_weighed_whole(run: Run, penguins: Path) -> None:
    data = ("--data-rows", "200M", "--data-size", "40G", "--data-runs", "30")
    told = json.loads(run("advise", "--model", penguins, *QUICK, *data, "--cloud", "aws", "--json").stdout)
    assert (told["requests_a_month"], told["rows_a_request"]) == (6e6, 1000)
    assert told["sent_bytes"] == 200_000  # 40 GB by 200,000 requests
    by_name = {option["option"]: option for option in told["options"]}
    assert by_name["Lambda by files"]["suits"] and by_name["AWS Batch"]["suits"]
    chosen = by_name[told["recommendation"]]
    assert chosen["family"] == "batch"
    measured = {name: one for one in told["measured"] for name in one["targets"]}
    assert measured["spark"] == measured["scheduled"] and "scheduled_main.py" in measured["spark"]["runtime"]
    kept = next(line["dollars"] for line in by_name["Lambda by files"]["bill"]["lines"] if line["what"] == "files kept, GB")
    assert kept > 40 * 0.023


@pytest.mark.usefixtures("measured_once")
def test_where_data_stays_is_shown(run: Run, penguins: Path) -> None:
    result = run("advise", "--model", penguins, *QUICK, "--residency", "de", "--cloud", "aws")
    assert result.exit_code == 0, result.output
    assert "data residency" in result.stdout and "regions in DE: eu-central-1" in result.stdout
    own = run("advise", "--model", penguins, *QUICK, "--residency", "premises")
    assert re.search("recommended: (Docker on your own|Your own|Kubernetes)", own.stdout)
    assert "your own hardware, electricity" in own.stdout


def test_without_matplotlib_the_next_step_is_said(
    run: Run, penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("advise", "--model", penguins, *QUICK, "-o", tmp_path / "a.svg")
    assert result.exit_code == 1 and "[plots]" in result.stderr
    assert "measuring" not in result.stderr  # which would take a while for nothing


@pytest.mark.parametrize("number", ["many", "-1", "1X"])
def test_a_number_that_is_none_is_refused(number: str, run: Run, penguins: Path) -> None:
    assert run("advise", "--model", penguins, "--requests", number).exit_code == 2
