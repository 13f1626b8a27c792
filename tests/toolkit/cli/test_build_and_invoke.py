"""From a model file to a folder, and from an event to an answer with figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from flyweight.toolkit import targets
from tests.conftest import PYTHON

PROVIDERS = [target.name for target in targets.all_targets() if target.has("runtime")]


def test_build_shows_what_it_made(run: Callable[..., Result], penguins: Path, tmp_path: Path) -> None:
    result = run("build", "aws", "--model", penguins, "--out", tmp_path / "out", "--python", PYTHON)
    assert result.exit_code == 0, result.output
    assert "penguins 1.0.0" in result.output
    assert (tmp_path / "out" / "app.py").exists()


def test_build_as_json_says_where_and_what(run: Callable[..., Result], penguins: Path, tmp_path: Path) -> None:
    result = run("build", "gcp", "--model", penguins, "--out", tmp_path / "out", "--no-bytecode", "--json")
    document = json.loads(result.stdout)
    assert document["folder"] == str(tmp_path / "out")
    assert (document["target"], document["model"], document["python"]) == ("gcp", "penguins", None)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_invoke_shows_the_answer_and_the_split_cold_start(
    provider: str, run: Callable[..., Result], built: Callable[[str], Path]
) -> None:
    result = run("invoke", provider, "--folder", built(provider), "--event", "predict", "--runs", 2, "--repeat", 5)
    assert result.exit_code == 0, result.output
    for shown in ("200\n", '"Adelie"', "cold start (median of 2)", "of it load", "warm p95", "on Python"):
        assert shown in result.stdout
    assert '"message":"answered"' in result.stderr


def test_invoke_without_an_event_asks_the_models_own_sample(run: Callable[..., Result], built: Callable[[str], Path]) -> None:
    for provider in PROVIDERS:
        document = json.loads(run("invoke", provider, "--folder", built(provider), "--json").stdout)
        assert document["answer"]["body"]["predictions"] == ["Adelie"]


def test_invoke_takes_the_folder_that_one_is_in(
    run: Callable[..., Result], built: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(built("aws"))
    assert json.loads(run("invoke", "aws", "--folder", ".", "--json").stdout)["answer"]["status"] == 200


def test_invoke_takes_a_model_and_an_event_file(run: Callable[..., Result], penguins: Path, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"operation": "ready"}')
    result = run("invoke", "aws", "--model", penguins, "--event", event, "--json")
    document = json.loads(result.stdout)
    assert document["answer"]["body"] == {"status": "ready"}
    assert document["figures"]["split_ms"] is None  # a direct answer carries no headers
    assert document["figures"]["cold_ms"] > 0 and len(document["log"]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--folder", ".", "--model", "m"],
        ["--folder", ".", "--event", "no_such_event"],
        ["--folder", ".", "--env", "NAME"],
        ["--folder", ".", "--runs", 0],
    ],
)
def test_invoke_refuses_what_makes_no_sense(
    arguments: list[object], run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("app.py").touch()
    assert run("invoke", "aws", "--event", "predict", *arguments).exit_code == 2


def test_invoke_reports_a_function_that_fails(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import no_such_thing\n")
    result = run("invoke", "aws", "--folder", tmp_path, "--event", "predict")
    assert result.exit_code == 1
    assert "no_such_thing" in result.stderr and "next: correct the function" in result.stderr


@pytest.mark.parametrize("target", ["gcp", "azure"])
def test_the_body_of_a_request_is_no_event_and_the_error_says_what_makes_one(
    target: str, run: Callable[..., Result], built: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "request.json"
    path.write_text('{"instances": [{}]}')
    result = run("invoke", target, "--folder", built(target), "--event", path)
    assert result.exit_code == 1
    assert "the event is no request: it has no field 'method'" in result.output and "flyweight events new" in result.output
