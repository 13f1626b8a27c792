"""Estimators that other versions of scikit-learn fitted are packed with these versions, and answer as these do.

`flyweight pack` itself makes the environments, in a folder that is kept between runs (FLYWEIGHT_ENVIRONMENTS, or one in the
user's cache). They need a package registry; where none answers, these tests are skipped, in words.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import flyweight
from flyweight.toolkit.cli import main
from flyweight.toolkit.packing import environments
from flyweight.toolkit.packing.environments import Environment, EnvironmentFailed
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

VERSIONS = ("1.3.2", "1.7.2")
# families of tests/parity that the versions answer by different code
FAMILIES = "compose,scale,impute,tree,forest,hist-gradient-boosting,adaboost,text"
CASES = 5

FIT = """
import json
import joblib, numpy as np, pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(0)
X = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300), "zip": rng.choice(["01234", "00501", "90210"], 300)})
y = np.digitize(X.a * X.b, [-0.3, 0.3])
for name, model in {
    "forest": RandomForestClassifier(10, random_state=0),
    "ada": AdaBoostClassifier(n_estimators=10, random_state=0),
    "liblinear": LogisticRegression(solver="liblinear"),
    "histogram": HistGradientBoostingClassifier(max_iter=10),
}.items():
    numbers = (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"])
    words = (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["zip"])
    fitted = make_pipeline(make_column_transformer(numbers, words), model).fit(X, y > 0 if name == "liblinear" else y)
    joblib.dump(fitted, f"{name}.joblib")
    json.dump([fitted.predict(X).tolist(), fitted.predict_proba(X).tolist()], open(f"{name}.json", "w"))
X.to_csv("rows.csv", index=False)
"""


@cache
def environment_of(version: str) -> Environment:
    """Get the environment of a version, which is made on first use."""
    try:
        return environments.made([f"scikit-learn=={version}"], lambda *_: None)
    except EnvironmentFailed as failed:
        pytest.skip(f"no environment with scikit-learn {version}; a package registry is needed: {str(failed)[:300]}")


@pytest.fixture(params=VERSIONS, scope="module")
def fitted_by(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Make a folder with estimators that a version of scikit-learn fitted, and with that version's own answers."""
    folder = tmp_path_factory.mktemp(request.param)
    fit = [environment_of(request.param).python, "-W", "ignore", "-c", FIT]
    subprocess.run(fit, check=True, timeout=250, cwd=folder)
    return str(request.param), folder


@pytest.fixture
def version(fitted_by: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand in that folder."""
    monkeypatch.chdir(fitted_by[1])
    return fitted_by[0]


def pack(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["pack", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize("name", ["forest", "ada", "liblinear", "histogram"])
def test_a_pickle_is_packed_with_the_version_that_fitted_it_and_answers_as_it_did(version: str, name: str) -> None:
    result = pack(f"{name}.joblib", "--sample", "rows.csv", "--rows", 200, "--json", "-o", f"{name}.safetensors")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["engine"] == "pure" and report["parity"]["label_differences"] == 0
    model = flyweight.load(f"{name}.safetensors")
    assert model.file.document["provenance"]["scikit-learn"] == version
    labels, probabilities = json.loads(Path(f"{name}.json").read_text())
    answer: Any = model.predict(pd.read_csv("rows.csv", dtype={"zip": str}).to_dict("records"))
    assert [*answer.predictions] == labels
    assert np.abs(np.array(answer.probabilities) - np.array(probabilities)).max() < 1e-12


def test_without_an_environment_it_is_refused_with_the_commands_that_make_one(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = pack("ada.joblib", "--sample", "rows.csv", "--environment", "never", "-o", "refused.safetensors")
    assert result.exit_code == 1
    assert f"scikit-learn {version}" in result.stderr and f"scikit-learn=={version}" in result.stderr
    assert "uv venv" in result.stderr and "--environment" in result.stderr
    assert not Path("refused.safetensors").exists()


def test_an_environment_of_the_users_own_is_taken(version: str) -> None:
    folder = environment_of(version).python.parent.parent
    result = pack("forest.joblib", "--sample", "rows.csv", "--rows", 100, "--environment", folder, "--json")
    assert result.exit_code == 0, result.output
    assert flyweight.load("forest.safetensors").file.document["provenance"]["scikit-learn"] == version


def test_a_refusal_inside_of_the_environment_is_passed_on(version: str) -> None:
    result = pack("forest.joblib", "--sample", "rows.csv", "--types", "zip=number", "--json")
    assert result.exit_code == 1 and "zip" in json.loads(result.stdout)["message"]


def test_what_is_packed_as_it_is_read_here_says_so(version: str) -> None:
    result = pack("liblinear.joblib", "--sample", "rows.csv", "--environment", "here")
    assert "not proved against the estimator that was fitted" in result.stderr
    if result.exit_code == 0:
        assert f"scikit-learn {version}" in flyweight.load("liblinear.safetensors").file.document["provenance"]["fitted with"]


@pytest.mark.parametrize("version", VERSIONS)
def test_families_are_packed_at_parity_under_another_version(version: str) -> None:
    """What a version lacks is left out; `python -m tests.toolkit.versions.cases_here` runs all families, without limits."""
    words = ["-P", "-m", "tests.toolkit.versions.cases_here", "--families", FAMILIES, "--most", str(CASES), "--edges", "100"]
    path = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([environment_of(version).python, *words], capture_output=True, text=True, env=path, timeout=500)
    assert ran.returncode == 0, ran.stderr[-2000:]
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert lines[0]["scikit-learn"] == version
    results = {line["case"]: (line["result"], line["why"]) for line in lines[1:]}
    assert {case: why for case, why in results.items() if why[0] not in ("packed", "absent")} == {}
    assert sum(result == "packed" for result, _ in results.values()) > 25


def test_offline_the_commands_are_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWEIGHT_ENVIRONMENTS", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    with pytest.raises(EnvironmentFailed) as failed:
        environments.made(["scikit-learn==1.5.2"], lambda *_: None)
    assert "scikit-learn==1.5.2" in failed.value.next_step and "uv venv" in failed.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == ["uv"], "nothing half made is left"
