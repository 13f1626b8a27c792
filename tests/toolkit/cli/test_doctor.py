"""`flyweight doctor`, run on built folders in their real runtimes; no test checks a duration."""

from __future__ import annotations

import json
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.building import build
from flyweight.toolkit.packing import custom_steps
from flyweight.toolkit.publishing import registry
from flyweight.toolkit.running.cold_start import STEPS
from tests.conftest import PYTHON

Run = Callable[..., Result]
Built = Callable[[str], Path]
MEASURABLE = [target.name for target in targets.all_targets() if target.has("runtime")]
STEP = """def twice(row):
    return [2.0 * value for value in row]


STEPS = {"twice": (twice, "nn")}
"""


def twice(X: Any) -> Any:
    """Double each value, as the step of the same name."""
    return 2.0 * np.asarray(X)


@pytest.fixture
def heavy(tmp_path: Path) -> Iterator[Path]:
    """A folder with a step of its own that imports NumPy."""
    steps = tmp_path / "mine.py"
    steps.write_text(STEP)
    custom_steps.use(steps)
    X = np.random.default_rng(0).normal(size=(60, 2))
    estimator = make_pipeline(FunctionTransformer(twice), LogisticRegression()).fit(X, X[:, 0] > 0)
    flyweight.pack(estimator, tmp_path / "model.safetensors", sample=X, name="heavy")
    folder = build("aws", tmp_path / "model.safetensors", tmp_path / "heavy", python=PYTHON).folder
    (folder / "flyweight_steps.py").write_text(f"import numpy\n\n\n{STEP}")
    for stale in (folder / "__pycache__").glob("flyweight_steps.*"):
        stale.unlink()
    yield folder
    sys.modules.pop("flyweight_steps", None)


@pytest.mark.parametrize("target", MEASURABLE)
def test_the_steps_of_a_cold_start_add_up_to_it(target: str, run: Run, built: Built) -> None:
    told = json.loads(run("doctor", built(target), "--rounds", 1, "--json").stdout)
    assert (told["target"], told["client"], told["rounds"]) == (target, "platform", 1)
    assert {"interpreter", "client", "import", "load", "first answer"} <= {*told["steps_ms"]} <= {*STEPS}
    assert sum(told["steps_ms"].values()) == pytest.approx(told["total_ms"], abs=0.01)
    assert told["ratio"] == pytest.approx(told["total_ms"] / told["empty_ms"], rel=1e-3)
    assert told["memory_bytes"] > 1e6 and told["empty_memory_bytes"] > 1e6
    assert "flyweight" in [one["name"] for one in told["imports"]]


def test_the_report_shows_each_step_and_the_empty_function(run: Run, built: Built) -> None:
    result = run("doctor", built("aws"), "--rounds", 1)
    assert result.output.splitlines()[0].endswith(": one round")
    assert result.exit_code == 0, result.output
    for part in (
        "interpreter",
        "client",
        "load",
        "first answer",
        "an empty function",
        "of an empty function's",
        "peak memory",
        "█",
    ):
        assert part in result.stdout, part


def test_the_own_client_is_compared_with_the_platforms(run: Run, built: Built) -> None:
    told = json.loads(run("doctor", built("aws"), "--rounds", 1, "--client", "own", "--json").stdout)
    assert told["runtime"].startswith("flyweight's client on Python")
    assert {"interpreter", "client"} <= {*told["steps_ms"]}


def test_what_an_own_step_imports_is_named_with_its_file_and_advice(run: Run, heavy: Path) -> None:
    told = json.loads(run("doctor", heavy, "--rounds", 1, "--json").stdout)
    first = told["imports"][0]
    assert (first["name"], first["by"]) == ("numpy", "flyweight_steps.py:1")
    assert first["advice"].startswith("the pure engine does not need it")
    bounded = run("doctor", heavy, "--rounds", 1, "--client", "own", "--at-most", 0)
    assert "flyweight_steps.py:1" in bounded.stdout
    assert "next: numpy takes " in bounded.stderr and "imported by flyweight_steps.py:1: the pure engine" in bounded.stderr


def test_the_exit_status_is_1_above_the_bound(run: Run, built: Built) -> None:
    above = run("doctor", built("aws"), "--rounds", 1, "--at-most", 0)
    assert above.exit_code == 1
    assert "of an empty function's, expected at most 0" in above.stderr and "next: " in above.stderr
    assert "first answer" in above.stdout
    asked = run("doctor", built("aws"), "--rounds", 1, "--at-most", 0, "--json")
    assert asked.exit_code == 1 and json.loads(asked.stdout)["met"] is False
    below = run("doctor", built("aws"), "--rounds", 1, "--at-most", 1000)
    assert below.exit_code == 0 and below.stderr.count("error") == 0


def test_the_steps_are_drawn(run: Run, built: Built, tmp_path: Path) -> None:
    picture = tmp_path / "steps.svg"
    assert run("doctor", built("aws"), "--rounds", 1, "--draw", picture).exit_code == 0
    assert ET.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    text = picture.read_text()
    assert "first answer" in text and "empty function" in text


def test_a_model_from_a_store_is_fetched_and_its_network_is_noted(run: Run, penguins: Path, tmp_path: Path) -> None:
    root = f"file://{tmp_path}/models"
    registry.at(root).push(penguins, ("prod",))
    folder = build("aws", f"{root}/penguins@prod", tmp_path / "away", python=PYTHON).folder
    told = json.loads(run("doctor", folder, "--rounds", 1, "--json").stdout)
    assert {"fetch", "load"} <= {*told["steps_ms"]}
    assert told["notes"] == [f"the model comes from {root}/penguins@prod: the time to fetch it is that of this machine's network"]
    shutil.rmtree(tmp_path / "models")
    gone = run("doctor", folder, "--rounds", 1)
    assert gone.exit_code == 1 and "penguins" in gone.stderr


def test_a_folder_of_ones_own_is_measured_if_its_target_is_named(run: Run, tmp_path: Path) -> None:
    app = 'import fractions\n\n\ndef lambda_handler(event, context):\n    return {"statusCode": 200, "body": "{}"}\n'
    (tmp_path / "app.py").write_text(app)
    unnamed = run("doctor", tmp_path)
    assert unnamed.exit_code == 1
    assert "is not a built folder: it has no flyweight.json" in unnamed.stderr and "--target" in unnamed.stderr
    told = json.loads(run("doctor", tmp_path, "--target", "aws", "--rounds", 1, "--json").stdout)
    assert {*told["steps_ms"]} == {"interpreter", "client", "import"}


def test_what_can_not_be_measured_is_said(run: Run, built: Built, tmp_path: Path) -> None:
    other = run("doctor", built("aws"), "--target", "gcp")
    assert other.exit_code == 1 and "was built for aws, not for gcp" in other.stderr
    unknown = run("doctor", built("aws"), "--client", "mine")
    assert unknown.exit_code == 1 and "this target has no client 'mine'" in unknown.stderr
    broken = shutil.copytree(built("aws"), tmp_path / "broken")
    (broken / "flyweight.json").write_text("{")
    assert "flyweight.json can't be read" in run("doctor", broken).stderr
    assert run("doctor", built("aws"), "--draw", tmp_path / "a.webp").exit_code == 1


def test_the_error_of_a_handler_that_can_not_be_imported_is_shown(run: Run, built: Built, tmp_path: Path) -> None:
    broken = shutil.copytree(built("aws"), tmp_path / "broken")
    (broken / "app.py").write_text("import no_such_thing\n")
    shutil.rmtree(broken / "__pycache__")
    result = run("doctor", broken, "--rounds", 1)
    assert result.exit_code == 1
    assert "no_such_thing" in result.stderr and "next: correct the function" in result.stderr


def test_a_python_without_the_runtime_is_told_how_to_get_it(run: Run, built: Built, tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    result = run("doctor", built("aws"), "--python", bare)
    assert result.exit_code == 1 and "needs awslambdaric" in result.stderr and "[aws]" in result.stderr


def test_a_handler_that_answers_with_an_error_is_shown_with_its_answer(run: Run, built: Built, tmp_path: Path) -> None:
    broken = shutil.copytree(built("aws"), tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no model")
    result = run("doctor", broken, "--rounds", 1)
    assert result.exit_code == 1 and "next: " in result.stderr


def test_help_has_examples(run: Run) -> None:
    assert "flyweight doctor build/aws --client own --at-most 0.6" in run("doctor", "--help").stdout.partition("Examples:")[2]
