"""The verbs, run whole: measured in real runtimes, shown for people and as JSON, drawn."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flyweight.toolkit import resources
from flyweight.toolkit.cli import main
from flyweight.toolkit.deploying import Place, target

QUICK = ("--runs", "1", "--repeat", "5")
Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `flyweight` on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "250")

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)

    return call


@pytest.mark.parametrize("provider", resources.providers())
def test_a_plan_explains_before_anything_is_made(provider: str, run: Run, penguins: Path) -> None:
    result = run("plan", provider, "--model", penguins, *QUICK)
    assert result.exit_code == 0, result.output
    for part in (
        "creates",
        "limits",
        "security",
        "memory, peak",
        "requests a month",
        "arithmetic",
        "list prices of",
        "expected of a cold",
    ):
        assert part in result.stdout, part


def test_a_plan_as_json_has_what_the_tables_have(run: Run, penguins: Path) -> None:
    told = json.loads(run("plan", "aws", "--model", penguins, *QUICK, "--requests", "2M", "--json").stdout)
    assert {"creates", "measured", "limits", "security", "costs", "prices_checked"} <= {*told}
    assert {*told["costs"]} == {"aws", "gcp", "azure"}
    assert told["costs"]["aws"]["dollars_a_month"] > 0
    assert told["measured"]["cold"] > told["measured"]["warm"] > 0 and told["measured"]["memory"] > 1e6


def test_what_aws_creates_follows_the_conditions() -> None:
    made = {piece.name for piece in target("aws").creates(Place())}
    assert {"Function", "Role", "LogGroup", "Api"} <= made and not {"InputQueue", "Board", "Url"} & made
    more = {piece.name for piece in target("aws").creates(Place(parameters={"Queue": "true", "Endpoint": "function-url"}))}
    assert {"InputQueue", "DeadLetters", "Url"} <= more and "Api" not in more


def test_what_azure_creates_is_in_the_template() -> None:
    kinds = {piece.kind for piece in target("azure").creates(Place())}
    assert {"Microsoft.Web/sites", "Microsoft.Storage/storageAccounts"} <= kinds


def test_advice_is_shown_and_drawn(run: Run, penguins: Path, tmp_path: Path) -> None:
    picture = tmp_path / "advice.svg"
    result = run("advise", "--model", penguins, *QUICK, "--requests", "5M", "-o", picture)
    assert result.exit_code == 0, result.output
    for part in (
        "recommended: ",
        "its bill",
        "the cheapest changes",
        "every option",
        "Kubernetes",
        "On the device",
        "Batch by files",
    ):
        assert part in result.stdout, part
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_advice_is_drawn_the_same(tmp_path: Path) -> None:
    from flyweight.toolkit.costs.advice import Needs, advise
    from flyweight.toolkit.costs.picture import draw
    from flyweight.toolkit.costs.workload import Measured, Workload

    advice = advise(Workload(Measured(0.055, 0.001, 16_000_000, 900_000)), Needs())
    for name in ("one.svg", "other.svg"):
        draw(advice, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_advice_as_json_names_one_and_why(run: Run, penguins: Path) -> None:
    told = json.loads(run("advise", "--model", penguins, *QUICK, "--cloud", "gcp", "--json").stdout)
    assert told["recommendation"] == "Cloud Run function" and told["reasons"]
    assert all(option["reason"] for option in told["options"])


def test_without_matplotlib_the_next_step_is_said(
    run: Run, penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("advise", "--model", penguins, *QUICK, "-o", tmp_path / "a.svg")
    assert result.exit_code == 1 and "flyweight[plots]" in result.stderr


@pytest.mark.parametrize("number", ["many", "-1", "1X"])
def test_a_number_that_is_none_is_refused(number: str, run: Run, penguins: Path) -> None:
    assert run("advise", "--model", penguins, "--requests", number).exit_code == 2
