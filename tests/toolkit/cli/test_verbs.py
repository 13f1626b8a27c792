"""Every verb is found by its file, helps, speaks JSON, and fails in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main

VERBS = main.list_commands(click.Context(main))


def test_the_verbs_are_the_files_of_the_folder() -> None:
    assert {"build", "invoke", "serve"} <= {*VERBS}
    assert not [verb for verb in VERBS if verb.startswith("_")]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_helps_with_an_example_and_offers_json(verb: str, run: Callable[..., Result]) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"flyweight {verb}" in result.output.split("Example")[-1]
    assert "--json" in result.output


def test_an_unknown_verb_is_a_usage_error(run: Callable[..., Result]) -> None:
    assert run("fly").exit_code == 2


@pytest.mark.parametrize("verb", ["build", "deploy", "destroy", "events show", "invoke", "logs", "plan", "rollback", "status"])
def test_an_unknown_target_is_a_usage_error_that_names_the_known_ones(verb: str, run: Callable[..., Result]) -> None:
    result = run(*verb.split(), "server", *(["predict"] if "events" in verb else []), "--help")
    assert result.exit_code == 0 and f"TARGET is one of: {', '.join(targets.names())}." in " ".join(result.output.split())
    refused = run(*verb.split(), "server", *(["predict"] if "events" in verb else []))
    assert refused.exit_code == 2
    assert f"the target 'server' does not exist, choose one of {', '.join(targets.names())}" in refused.stderr


@pytest.mark.parametrize("verb", ["build aws --model", "serve"])
def test_a_refused_model_ends_in_words_and_a_next_step(verb: str, run: Callable[..., Result], tmp_path: Path) -> None:
    model = tmp_path / "bad.safetensors"
    model.write_bytes(b"")
    result = run(*verb.split(), model)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the file is truncated")
    assert "\nnext: " in result.stderr


def test_an_error_is_json_where_json_was_asked_for(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("build", "aws", "--model", tmp_path / "none.safetensors", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["error"] == "FileNotFoundError" and "No such file" in document["message"] and document["next_step"]


def test_a_bug_is_not_dressed_up_as_an_error_of_the_users(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("flyweight.toolkit.building.build", broken)
    with pytest.raises(KeyError, match="a bug"):
        run("build", "aws", "--model", tmp_path)
