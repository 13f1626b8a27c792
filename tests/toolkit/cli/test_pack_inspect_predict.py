"""From a joblib file to a model file, to what it says of itself, to predictions of a table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
from click.testing import Result
from scipy.special import j0
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests import fitted


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The penguins pipeline as joblib wrote it, and its table as CSV, the target column included."""
    estimator, sample = fitted.penguins()
    joblib.dump(estimator, tmp_path / "model.joblib")
    sample.assign(species="?").to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "model.joblib", tmp_path / "rows.csv"


def test_pack_warns_reports_and_writes(run: Callable[..., Result], files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "penguins.safetensors"
    result = run("pack", files[0], "--sample", files[1], "--name", "penguins", "--version", "2.0.0", "-o", out)
    assert result.exit_code == 0, result.output
    assert "this runs the code in it" in result.stderr
    for told in (
        "penguins 2.0.0",
        "OneHotEncoder",
        "encode.one_hot",
        "344 of the sample, 2000 edge cases",
        "0 different",
        "pure",
    ):
        assert told in result.stdout
    assert out.exists()


def test_pack_as_json(run: Callable[..., Result], files: tuple[Path, Path], tmp_path: Path) -> None:
    report = json.loads(run("pack", files[0], "-o", tmp_path / "m.safetensors", "--rows", 50, "--json").stdout)
    assert (report["name"], report["engine"], report["parity"]["rows_edge"]) == ("model", "pure", 50)
    assert len(report["sha256"]) == 64


def test_pack_lists_what_it_converts(run: Callable[..., Result]) -> None:
    assert "sklearn.HistGradientBoostingClassifier" in run("pack", "--list").output.splitlines()


def test_pack_refuses_in_words(run: Callable[..., Result], files: tuple[Path, Path], tmp_path: Path) -> None:
    _, X = fitted.penguins()
    numbers = X[["bill_length_mm", "year"]].fillna(0)
    joblib.dump(make_pipeline(FunctionTransformer(j0), Ridge()).fit(numbers, numbers["year"]), tmp_path / "learned.joblib")
    result = run("pack", tmp_path / "learned.joblib", "--engine", "pure")
    assert result.exit_code == 1
    assert "error: step functiontransformer" in result.stderr and "next: " in result.stderr
    broken = tmp_path / "broken.joblib"
    broken.write_bytes(b"not a pickle")
    assert "and not a pickle of an estimator" in run("pack", broken).stderr
    assert "is a pickle, which is not read as a table" in run("pack", files[0], "--sample", files[0]).stderr
    assert json.loads(run("pack", broken, "--json").stdout)["error"] == "FileRefused"


def test_pack_says_when_the_estimator_is_of_another_scikit_learn(
    run: Callable[..., Result], files: tuple[Path, Path], tmp_path: Path
) -> None:
    old = tmp_path / "old.joblib"
    estimator, _ = fitted.penguins()
    state = joblib.load(files[0])
    import sklearn

    data = files[0].read_bytes().replace(sklearn.__version__.encode(), b"1.0.0"[: len(sklearn.__version__)])
    old.write_bytes(data)
    assert state is not None and estimator is not None
    result = run("pack", old, "--rows", 10, "-o", tmp_path / "m.safetensors")
    assert "fitted with scikit-learn 1.0.0" in result.stderr


def test_inspect_shows_the_signature_and_the_proof(run: Callable[..., Result], penguins: Path) -> None:
    shown = run("inspect", penguins).stdout
    for told in (
        "island",
        "Biscoe, Dream, Torgersen",
        "number or null",
        "32.1 to 59.6",
        "Adelie, Chinstrap, Gentoo",
        "self test",
    ):
        assert told in shown
    document = json.loads(run("inspect", penguins, "--json").stdout)
    assert document["parity"]["label_differences"] == 0 and "plan" not in document


def test_inspect_refuses_what_is_no_model(run: Callable[..., Result], files: tuple[Path, Path]) -> None:
    result = run("inspect", files[1])
    assert result.exit_code == 1 and "not a safetensors file" in result.stderr
