"""Every command that a report suggests works for the model that it is about: what is printed is run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main

BIN = Path(sys.executable).parent
Run = Callable[..., Result]


def wine() -> tuple[Any, Any]:
    X, y = load_wine(return_X_y=True, as_frame=True)
    return RidgeClassifier().fit(X, y), None


def texts() -> tuple[Any, Any]:
    words = ["it's good, very good", "bad film", 'a "great" one', "so bad"] * 10
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(words, ["+", "-", "+", "-"] * 10), None


def rents() -> tuple[Any, Any]:
    """A regression over strings of digits and numbers, with missing values in both."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame({"rooms": rng.integers(1, 6, 80).astype(float), "zip": rng.choice(["00125", "01067", "99084"], 80)})
    table.loc[::7, "rooms"] = np.nan
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["zip"]), (SimpleImputer(), ["rooms"]))
    return make_pipeline(columns, LinearRegression()).fit(table, 300 + 10 * np.arange(80.0)), table


MODELS = {"wine": wine, "texts": texts, "rents": rents}


@pytest.fixture(scope="module", params=MODELS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one's own with an estimator of one's own."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    estimator, table = MODELS[request.param]()
    joblib.dump(estimator, folder / "own.joblib")
    if table is not None:
        table.to_csv(folder / "rows.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        sample = ["--sample", "rows.csv"] if table is not None else []
        packed = CliRunner().invoke(main, ["pack", "own.joblib", *sample], catch_exceptions=False)
    assert packed.exit_code == 0, packed.output
    assert suggested(packed) == ["flyweight serve own.safetensors"]
    return folder


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def suggested(result: Result) -> list[str]:
    """The commands of flyweight that a report ends with."""
    return re.findall(r"(?:try it|next|call it|verify it):?\s+(flyweight .*?)\s*$", result.output, re.MULTILINE)


def answered(run: Run, line: str) -> Any:
    """Run a suggested command, and get the body of its answer."""
    result = run(*shlex.split(line)[1:], "--json")
    assert result.exit_code == 0, f"{line}\n{result.output}"
    reply = json.loads(result.stdout)["answer"]
    assert reply["status"] == 200, reply
    return reply["body"]


@contextmanager
def serving(*words: str) -> Iterator[list[str]]:
    """Run `flyweight serve` until the end of the block, and yield the lines that it prints at its start."""
    command = [str(BIN / "flyweight"), "serve", *words, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield [process.stdout.readline(), process.stdout.readline()]
        finally:
            process.terminate()


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(one.name, marks=[pytest.mark.slow] * (one.name != "aws"))
        for one in targets.all_targets()
        if one.has("runtime")
    ],
)
def test_build_suggests_an_invocation_that_answers(target: str, here: Path, run: Run) -> None:
    result = run("build", target, "--model", "own.safetensors", "-o", f"build/{target}", "--no-bytecode")
    (line,) = suggested(result)
    assert line == f"flyweight invoke {target} --folder build/{target}"
    if target != "azure" or sys.version_info >= (3, 13):
        body = answered(run, line)
        assert body["predictions"] == recorded(here)["predictions"][:1]


def test_an_event_of_a_name_carries_the_models_own_row(here: Path, run: Run) -> None:
    for event in ("predict", "predict.alb", "predict_csv"):
        body = answered(run, f"flyweight invoke aws --model own.safetensors --event {event}")
        predictions = body["predictions"] if isinstance(body, dict) else body
        assert predictions[0] == recorded(here)["predictions"][0]


def test_events_new_suggests_an_invocation_that_answers(here: Path, run: Run) -> None:
    (line,) = suggested(run("events", "new", "aws", "predict.rest", "--model", "own.safetensors", "--out", "an event.json"))
    assert answered(run, line)["predictions"] == recorded(here)["predictions"][:1]


def test_serve_prints_a_line_that_a_shell_runs(here: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with serving("own.safetensors") as (_, line):
        command = line.removeprefix("try it: ").strip()
        assert command.startswith("curl ")
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["predictions"] == recorded(here)["predictions"][:1]


def test_call_sends_the_models_own_rows_to_an_endpoint_that_is_all_that_one_has(here: Path, run: Run) -> None:
    with serving("own.safetensors") as (first, _):
        url = first.partition(" on ")[2].partition(": POST")[0]
        result = run("call", url, "--json")
        assert result.exit_code == 0, result.output
        assert run("events", "request", "--model", "own.safetensors", "--rows", 99, "--csv", "--out", "own.csv").exit_code == 0
        assert run("call", url, "own.csv", "--json").stdout == result.stdout
    lines = [json.loads(line)["prediction"] for line in result.stdout.splitlines()]
    assert lines == recorded(here)["predictions"]


@pytest.mark.slow
def test_a_project_passes_the_steps_that_it_prints(here: Path, run: Run) -> None:
    created = run("new", "project", "--model", "own.safetensors", "--target", "aws")
    assert created.exit_code == 0 and "follow project" in created.output
    lines = (here / "project" / "README.md").read_text().splitlines()
    commands = [line for line in lines if line.startswith("flyweight ") and " deploy " not in line]
    assert [line.split()[1] for line in commands] == ["build", "invoke"]
    for line in commands:
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(shlex.split(line), cwd=here / "project", env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stdout.startswith("4"), f"{line}\n{done.stdout}{done.stderr}"
    shutil.rmtree(here / "project")


def test_a_registry_gives_back_what_can_be_served(here: Path, run: Run) -> None:
    assert run("push", "own.safetensors", "store").exit_code == 0
    (line,) = suggested(run("pull", "store/own@latest", "-o", "again.safetensors"))
    with serving(*shlex.split(line)[2:]) as (first, _):
        assert first.startswith("again.safetensors on http")


def recorded(folder: Path) -> Any:
    from flyweight.models import file

    return file.read(str(folder / "own.safetensors")).document["sample"]
