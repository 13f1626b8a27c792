"""Every verb is found by its file, helps, speaks JSON, and fails in words."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

import flyweight
from flyweight.errors import FlyweightError
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main

VERBS = main.list_commands(click.Context(main))


def test_a_pythons_own_command_is_run_as_its_module() -> None:
    done = subprocess.run([sys.executable, "-m", "flyweight", "--version"], capture_output=True, text=True)
    assert done.stdout == f"flyweight, version {flyweight.__version__}\n", done.stderr
    wrong = subprocess.run([sys.executable, "-m", "flyweight", "inspect", "nothing.x"], capture_output=True, text=True)
    assert wrong.returncode == 1 and wrong.stderr.startswith("error: nothing.x"), wrong.stderr


def test_the_verbs_are_the_files_of_the_folder() -> None:
    assert {"build", "invoke", "serve"} <= {*VERBS}
    assert not [verb for verb in VERBS if verb.startswith("_")]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_helps_with_an_example_and_offers_json(verb: str, run: Callable[..., Result]) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"flyweight {verb}" in result.output.split("Example")[-1]
    assert "--json" in result.output


@pytest.mark.parametrize("group", ["events", "image", "models"])
def test_each_command_of_a_group_helps_with_an_example_and_offers_json(group: str, run: Callable[..., Result]) -> None:
    listed = run(group, "--help").output.partition("Commands:\n")[2].partition("\n\n")[0]
    names = [line.split()[0] for line in listed.splitlines() if line[:3] == "  " + line[2:3].strip()]
    assert len(names) > 3
    for name in names:
        shown = run(group, name, "--help").output
        assert f"flyweight {group} {name}" in shown.partition("Example")[2] and "--json" in shown, name


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
    assert result.stderr.startswith("error: ") and "the file is truncated" in result.stderr
    assert "an estimator is packed first: flyweight pack ESTIMATOR" in result.stderr
    assert "\nnext: " in result.stderr


def test_an_error_is_json_where_json_was_asked_for(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("build", "aws", "--model", tmp_path / "none.safetensors", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["error"] == "FileNotFoundError" and "No such file" in document["message"] and document["next_step"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("build aws", "Missing option '--model'."),
        ("buidl aws", " has no command 'buidl'; did you mean build?"),
        ("invoke aws", "give either --folder or --model"),
        ("pack m.joblib --sample none.csv", "File 'none.csv' does not exist"),
    ],
)
def test_a_wrong_call_is_json_where_json_was_asked_for(words: str, message: str, run: Callable[..., Result]) -> None:
    result = run(*words.split(), "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == 2 and message in document["message"] and "--help" in document["next_step"]


@pytest.mark.parametrize(
    ("name", "step"),
    [("none.safetensors", "check the path"), ("folder", "give a file"), ("file/m.safetensors", "check the path")],
)
def test_a_path_that_can_not_be_read_has_a_next_step_about_it(
    name: str, step: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    result = run("inspect", tmp_path / name)
    assert result.exit_code == 1 and str(tmp_path / name) in result.stderr and f"next: {step}" in result.stderr


def test_a_module_that_is_not_installed_is_named_with_the_command_that_installs_it(
    run: Callable[..., Result], penguins: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for name in [name for name in sys.modules if name.startswith("flyweight.toolkit.exporting.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    result = run("export", penguins, "--to", "onnx", "-o", "m.onnx")
    assert result.exit_code == 1 and "which is not installed" in result.stderr
    assert "[onnx]" in result.stderr.partition("next: pip install ")[2]


def test_a_file_that_is_no_model_is_named(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n3,4\n")
    for words in ("inspect", "predict", "build aws --model"):
        result = run(*words.split(), tmp_path / "rows.csv", *([tmp_path / "rows.csv"] if words == "predict" else []))
        assert result.exit_code == 1 and f"error: {tmp_path / 'rows.csv'}: this is not a safetensors file" in result.stderr


@pytest.mark.parametrize(
    "error", [KeyError("a bug"), SystemExit("a bug"), BaseException("a bug"), Warning("a bug\nof two lines")]
)
def test_a_fault_has_a_message_and_a_status_of_its_own_and_shows_its_traceback_if_asked(
    error: BaseException, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("flyweight.toolkit.building.build", broken)
    result = run("build", "aws", "--model", tmp_path)
    assert result.exit_code == 70
    assert result.stderr.startswith(f"error: {type(error).__name__}: ") and "a bug" in result.stderr
    assert "two lines" not in result.stderr and "FLYWEIGHT_TRACEBACK=1" in result.stderr
    assert json.loads(run("build", "aws", "--model", tmp_path, "--json").stdout)["error"] == type(error).__name__
    monkeypatch.setenv("FLYWEIGHT_TRACEBACK", "1")
    with pytest.raises(type(error), match="a bug"):
        main.main(["build", "aws", "--model", str(tmp_path)], standalone_mode=False)


def test_the_end_of_a_pipe_is_no_error(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("flyweight.toolkit.building.build", closed)
    result = run("build", "aws", "--model", tmp_path)
    assert result.exit_code == 1 and result.stderr == ""


def test_warnings_of_libraries_are_silent(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def warned(*_: object, **__: object) -> None:
        warnings.warn("noise", FutureWarning, stacklevel=1)
        raise FlyweightError("a message")

    monkeypatch.setattr("sys.warnoptions", [])
    monkeypatch.setattr("flyweight.toolkit.building.build", warned)
    assert run("build", "aws", "--model", tmp_path).stderr.startswith("error: a message\nnext: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pakc"], "no command 'pakc'; did you mean pack?"),
        (["models", "promot"], "no command 'promot'; did you mean promote?"),
        (["events", "news"], "no command 'news'; did you mean new?"),
        (["model.joblib"], "choose one of advise, build, call"),
        (["build", "aws", "--modle", "m"], "--model"),
        (["pack", "x.joblib", "--sampel", "rows.csv"], "--sample"),
    ],
)
def test_a_misspelt_verb_or_option_is_answered_with_the_right_one(
    words: list[str], said: str, run: Callable[..., Result]
) -> None:
    result = run(*words)
    assert result.exit_code == 2 and said in result.stderr


def test_help_begins_with_an_example_of_the_whole_way(run: Callable[..., Result]) -> None:
    shown = run("--help").output.partition("Examples")[2]
    assert [line.split()[1] for line in shown.splitlines() if line.strip().startswith("flyweight ")][:2] == ["pack", "predict"]


def test_a_file_in_the_place_of_a_folder_is_named_with_a_next_step(
    run: Callable[..., Result], penguins: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    refused = run("build", "aws", "--model", penguins, "-o", tmp_path / "file" / "aws")
    assert refused.exit_code == 1
    assert (
        refused.stderr
        == f"error: {tmp_path / 'file'}: File exists\nnext: choose another path: a file of this name is there already\n"
    )
