"""`flyweight inspect` of a pickle: what it holds and what deploying it would mean, before it is ever loaded."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from click.testing import Result
from scipy.special import expit, j0
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from flyweight.toolkit import targets
from flyweight.toolkit.building.spec import PYTHONS
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.pickles import wheels
from tests import fitted
from tests.conftest import ROOT


class Hostile:
    """What runs a command when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return __import__("os").system, (f"touch {self.mark}",)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that folds nothing."""
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    joblib.dump(fitted.penguins()[0], tmp_path / "model.joblib", compress=3)
    return tmp_path / "model.joblib"


def test_a_pickle_is_shown(run: Callable[..., Result], model: Path) -> None:
    result = run("inspect", model)
    assert result.exit_code == 0, result.output
    for told in (
        "read without running it",
        "columntransformer.pipeline-1.onehotencoder",
        sklearn.__version__,
        "protocol 4",
        "zlib",
        "of the 262.1 MB that AWS Lambda takes",
        "pure: every class has a conversion",
    ):
        assert told in result.stdout
    assert "MISSING" not in result.stdout and "RUN ANYTHING" not in result.stdout and "glibc" not in result.stdout


def test_a_pickle_as_json(run: Callable[..., Result], model: Path) -> None:
    document = json.loads(run("inspect", model, "--json").stdout)
    assert document["class"] == "sklearn.pipeline.Pipeline" and document["engine"] == "pure"
    assert document["parts"][-1] == {
        "path": "logisticregression",
        "class": "sklearn.linear_model._logistic.LogisticRegression",
        "count": 1,
        "scikit_learn": sklearn.__version__,
    }
    assert document["deployed"]["bytes"] > 100e6 and document["deployed"]["libraries"]["scipy"]["bytes"] > 50e6
    assert document["wheels"] is None and document["custom"] == document["dangerous"] == []


def test_a_hostile_pickle_is_warned_of_and_not_run(run: Callable[..., Result], tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    file = tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Hostile(mark)))
    result = run("inspect", file)
    assert result.exit_code == 0 and not mark.exists()
    assert "LOADING IT CAN RUN ANY CODE, through posix.system" in " ".join(result.stdout.split())
    pickle.loads(file.read_bytes())
    assert mark.exists(), "the payload is harmless, so this test proves nothing"


def test_own_classes_are_said_to_be_missing(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"\x80\x02c__main__\nClip\n)\x81.")
    assert "MISSING IN THE CLOUD: __main__.Clip; move" in " ".join(run("inspect", file).stdout.split())
    assert json.loads(run("inspect", file, "--json").stdout)["custom"] == ["__main__.Clip"]


def test_a_damaged_pickle_is_refused_in_words(run: Callable[..., Result], model: Path) -> None:
    model.write_bytes(model.read_bytes()[:500])
    result = run("inspect", model)
    assert result.exit_code == 1
    assert "error: not a pickle that can be read: it is truncated (at byte" in result.stderr and "\nnext: " in result.stderr
    assert json.loads(run("inspect", model, "--json").stdout)["error"] == "PickleRefused"


@pytest.mark.parametrize(("function", "engine"), [(np.log1p, "pure"), (expit, "pure"), (j0, "sklearn"), (None, "pure")], ids=str)
def test_inspect_names_the_engine_that_pack_chooses(
    function: Any, engine: str, run: Callable[..., Result], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).uniform(size=(50, 2))
    estimator = make_pipeline(FunctionTransformer(function), LogisticRegression()).fit(rows, rows[:, 0] > 0.5)
    joblib.dump(estimator, tmp_path / "model.joblib")
    told = json.loads(run("inspect", tmp_path / "model.joblib", "--json").stdout)
    assert told["engine"] == engine == pack(estimator, sample=rows, edge_count=20).engine
    assert engine == "pure" or told["reason"].startswith("pure: no conversion to plain data for scipy.special.")


def test_every_python_that_a_folder_is_built_for_is_looked_up() -> None:
    found = wheels.target_pythons()
    assert {one.target for one in found} == {target.name for target in targets.all_targets() if target.package.systems}
    for target in {one.target for one in found}:
        assert {one.python for one in found if one.target == target} == {*targets.find(target).package.systems} <= {*PYTHONS}
    assert {one.python for one in found} == {*PYTHONS}


def test_wheels_are_shown_for_each_provider(run: Callable[..., Result], model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def answers(requirements: list[str], _: object) -> list[wheels.Wheels]:
        asked.append(requirements)
        there = wheels.Wheels(wheels.target_pythons()[2], {"scikit-learn": "1.9.1", "numpy": "2.5.5"}, None)
        return [wheels.Wheels(wheels.target_pythons()[0], {}, "No matching distribution found for it"), there]

    monkeypatch.setattr(wheels, "wheels", answers)
    shown = " ".join(run("inspect", model, "--wheels").stdout.split())
    assert "aws 3.11 x86_64 Amazon Linux 2, glibc 2.26 no: No matching distribution found for it" in shown
    assert "aws 3.12 x86_64 Amazon Linux 2023, glibc 2.34 yes: scikit-learn 1.9.1, numpy 2.5.5" in shown
    document = json.loads(run("inspect", model, "--wheels", "--json").stdout)
    assert [(row["target"], row["glibc"], row["problem"] is None) for row in document["wheels"]] == [
        ("aws", "2.26", False),
        ("aws", "2.34", True),
    ]
    assert asked == [["joblib", "numpy>=2", f"scikit-learn=={sklearn.__version__}"]] * 2


def test_other_versions_than_here_are_measured_on_their_wheels(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "old.pkl"
    file.write_bytes(
        pickle.dumps(fitted.penguins()[0]).replace(sklearn.__version__.encode(), b"1.5.2"[: len(sklearn.__version__)])
    )
    here = json.loads(run("inspect", file, "--json").stdout)["deployed"]
    assert here["measured"] == "what is installed here" and here["libraries"]["scikit-learn"]["version"] == sklearn.__version__
    answers = [wheels.Wheels(runtime, {"scikit-learn": "1.5.2"}, None) for runtime in wheels.target_pythons()]
    monkeypatch.setattr(wheels, "wheels", lambda *_: answers)
    monkeypatch.setattr(wheels, "wheels_size", lambda answer: wheels.Size({"x": ("1", 300_000_000)}, (), str(answer.runtime)))
    shown = " ".join(run("inspect", file, "--wheels").stdout.split())
    assert "300.0 MB unzipped, more than the 262.1 MB that AWS Lambda takes; measured on aws 3.14 aarch64: x 1" in shown


def test_the_page_shows_what_the_command_prints(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    joblib.dump(fitted.penguins()[0], tmp_path / "model.joblib")
    shown = run("inspect", tmp_path / "model.joblib").stdout
    page = (ROOT / "docs" / "inspect.md").read_text()
    rows = [line.split() for line in shown.splitlines() if "sklearn." in line or line.strip().startswith("engine")]
    assert len(rows) == 10
    for row in rows:
        assert row in [line.split() for line in page.splitlines()], row


def test_wheels_of_a_model_file_make_no_sense(run: Callable[..., Result], penguins: Path) -> None:
    assert run("inspect", penguins, "--wheels").exit_code == 2
