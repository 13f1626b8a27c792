"""The engines on the command line: which is asked for, what is told, and a built folder for each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from scipy.special import j0
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from flyweight.errors import ModelRefused
from flyweight.toolkit.building import build, requirements
from flyweight.toolkit.packing.pack import pack
from tests import graphs
from tests.conftest import PYTHON

Run = Callable[..., Result]
X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
LABELS = np.where(X["a"] > X["b"], "yes", "no")
OWN = make_pipeline(FunctionTransformer(j0), LogisticRegression()).fit(X, LABELS)
PLAIN = LogisticRegression().fit(X, LABELS)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an estimator that has a plan, one that has none, and rows."""
    monkeypatch.chdir(tmp_path)
    joblib.dump(OWN, "own.joblib")
    joblib.dump(PLAIN, "plain.joblib")
    X.to_csv("rows.csv", index=False)
    return tmp_path


def test_the_report_says_why_engines_were_passed_over_and_what_is_needed(run: Run, place: Path) -> None:
    result = run("pack", "own.joblib", "--sample", "rows.csv", "--rows", 50)
    assert result.exit_code == 0, result.output
    for told in ("sklearn   taken", "a function is", "skl2onnx makes no graph", "scikit-learn 1", "skops", "60 of the sample"):
        assert told in result.stdout
    shown = run("inspect", "own.safetensors").stdout
    for told in ("engines", "sklearn", "needs", "not pure", "not onnx", "self test", "passed"):
        assert told in shown
    document = json.loads(run("inspect", "own.safetensors", "--json").stdout)
    assert document["engines"] == ["sklearn"] and {*document["skipped"]} == {"pure", "onnx"}


@pytest.mark.parametrize("engine", ["pure", "onnx", "sklearn", "pickle"])
def test_an_engine_is_forced(engine: str, run: Run, place: Path) -> None:
    result = run("pack", "plain.joblib", "--sample", "rows.csv", "--rows", 50, "--engine", engine, "--json")
    report = json.loads(result.stdout)
    assert report["engine"] == engine and report["parity"]["label_differences"] == 0
    assert ("plan" in report) is False and bool(report["steps"]) == (engine == "pure")
    assert bool(report["requires"]) == (engine != "pure")


def test_an_engine_that_can_not_is_refused_in_words(run: Run, place: Path) -> None:
    result = run("pack", "own.joblib", "--engine", "onnx", "--sample", "rows.csv")
    assert result.exit_code == 1 and "error: the onnx engine can't run it: skl2onnx makes no graph" in result.stderr
    assert "next: leave --engine out" in result.stderr
    as_json = json.loads(run("pack", "own.joblib", "--engine", "onnx", "--sample", "rows.csv", "--json").stdout)
    assert as_json["error"] == "EngineRefused"
    assert not (place / "own.safetensors").exists()


def test_for_batches_the_race_is_shown(run: Run, place: Path) -> None:
    result = run("pack", "plain.joblib", "--sample", "rows.csv", "--rows", 50, "--for", "batch")
    assert result.exit_code == 0, result.output
    assert "10,000 rows" in result.stdout and "times as long as" in result.stdout and "taken" in result.stdout
    report = json.loads(run("pack", "plain.joblib", "--sample", "rows.csv", "--rows", 50, "--for", "batch", "--json").stdout)
    assert {*report["timings"]} == {"numpy", "onnx", "sklearn"} and report["engine"] in report["timings"]


def test_a_pickle_is_named_and_refused_until_it_is_allowed(run: Run, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("pack", "plain.joblib", "--engine", "pickle", "--rows", 20)
    assert "contains a pickle, which is code" in result.stderr
    refused = run("predict", "plain.safetensors", "rows.csv")
    assert refused.exit_code == 1 and "FLYWEIGHT_ALLOW_PICKLE=1" in refused.stderr
    assert "FLYWEIGHT_ALLOW_PICKLE=1" in run("build", "aws", "--model", "plain.safetensors").stderr
    monkeypatch.setenv("FLYWEIGHT_ALLOW_PICKLE", "1")
    assert run("predict", "plain.safetensors", "rows.csv").exit_code == 0


def test_a_refusal_says_what_to_do_where_the_file_is_a_model_file(run: Run, place: Path) -> None:
    """The file is one that pack wrote, so that another one of those helps nobody."""
    run("pack", "plain.joblib", "--sample", "rows.csv", "--rows", 50, "--engine", "pickle")
    refused = run("inspect", "plain.safetensors")
    assert refused.exit_code == 1
    assert (
        "next: set FLYWEIGHT_ALLOW_PICKLE=1 if you made the file" in refused.output
        and "that `flyweight pack` wrote" not in refused.output
    )


def test_types_that_were_permitted_here_have_to_be_permitted_there(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbors = KNeighborsClassifier().fit(X, LABELS)
    joblib.dump(neighbors, "near.joblib")
    options = ("--sample", "rows.csv", "--rows", 20, "--engine", "sklearn")
    refused = run("pack", "near.joblib", *options)
    assert refused.exit_code == 1 and "FLYWEIGHT_TRUSTED_TYPES=sklearn." in refused.stderr
    types = refused.stderr.partition("FLYWEIGHT_TRUSTED_TYPES=")[2].split()[0]
    monkeypatch.setenv("FLYWEIGHT_TRUSTED_TYPES", types)
    packed = run("pack", "near.joblib", *options)
    assert packed.exit_code == 0 and f"must set FLYWEIGHT_TRUSTED_TYPES={types}, as you did here" in packed.stderr
    monkeypatch.delenv("FLYWEIGHT_TRUSTED_TYPES")
    assert "FLYWEIGHT_TRUSTED_TYPES" in run("predict", "near.safetensors", "rows.csv").stderr


def test_allow_pickle_alone_leaves_the_better_engines_their_place(run: Run, place: Path) -> None:
    report = json.loads(run("pack", "own.joblib", "--sample", "rows.csv", "--rows", 20, "--allow-pickle", "--json").stdout)
    assert report["engine"] == "sklearn"


def test_a_graph_from_anywhere(run: Run, place: Path) -> None:
    weights = np.array([[1.0], [-1.0]])
    (place / "m.onnx").write_bytes(graphs.onnx_affine(weights))
    X.assign(prediction=X.to_numpy() @ weights).to_csv("told.csv", index=False)
    report = json.loads(run("pack", "m.onnx", "--sample", "told.csv", "--json").stdout)
    assert (report["engine"], report["parity"]["rows_sample"]) == ("onnx", 60)
    silent = run("pack", "m.onnx", "--sample", "rows.csv", "-o", "silent.safetensors")
    assert "the sample has no expected answers for the graph" in silent.stdout
    assert "nothing: the sample holds no answers" in " ".join(run("inspect", "silent.safetensors").stdout.split())
    X.assign(prediction=1.0).to_csv("wrong.csv", index=False)
    wrong = run("pack", "m.onnx", "--sample", "wrong.csv", "-o", "wrong.safetensors")
    assert wrong.exit_code == 1 and "values differ" in wrong.stderr and not (place / "wrong.safetensors").exists()
    fewer = run("pack", "m.onnx", "--sample", "told.csv", "--classes", "a,b,c")
    assert fewer.exit_code == 1 and "no probabilities of 3 classes" in fewer.stderr


def test_a_graph_does_not_replace_the_model_that_it_was_exported_from(run: Run, place: Path) -> None:
    run("pack", "plain.joblib", "--sample", "rows.csv")
    run("export", "plain.safetensors", "--to", "onnx", "-o", "plain.onnx")
    before = (place / "plain.safetensors").read_bytes()
    refused = run("pack", "plain.onnx")
    assert refused.exit_code == 1 and "plain.safetensors is a model of the engine pure" in refused.stderr
    assert "-o graph.safetensors" in refused.stderr and (place / "plain.safetensors").read_bytes() == before
    for _ in range(2):  # its own file is written again
        assert run("pack", "plain.onnx", "-o", "graph.safetensors").exit_code == 0
    assert run("pack", "plain.onnx", "-o", "plain.safetensors").exit_code == 0


def test_labels_that_a_graph_does_not_give_are_named_with_the_option(run: Run, place: Path) -> None:
    joblib.dump(LogisticRegression().fit(X, X["a"] > 0), "whole.joblib")
    run("pack", "whole.joblib", "--sample", "rows.csv")
    run("export", "whole.safetensors", "--to", "onnx", "-o", "whole.onnx")
    refused = run("pack", "whole.onnx", "-o", "graph.safetensors", "--classes", "False,True")
    assert refused.exit_code == 1 and "the file does not list: its classes are 'False, True'" in refused.stderr
    assert "--classes" in refused.stderr.partition("next: ")[2]
    assert run("pack", "whole.onnx", "-o", "graph.safetensors", "--classes", "0,1").exit_code == 0


def test_a_tflite_file_with_classes_and_tolerance(run: Run, place: Path) -> None:
    (place / "m.tflite").write_bytes(graphs.tflite_logistic([[1.0, -1.0]], [0.0]))
    X.assign(prediction=(X["a"] > X["b"]).astype(int)).to_csv("told.csv", index=False)
    report = json.loads(
        run("pack", "m.tflite", "--sample", "told.csv", "--classes", "0,1", "--tolerance", "1e-6", "--json").stdout
    )
    assert (report["engine"], report["parity"]["tolerance"], report["parity"]["label_differences"]) == ("litert", 1e-6, 0)
    answers = run("predict", "m.safetensors", "rows.csv").stdout.splitlines()
    assert answers[0] == "prediction,probability_0,probability_1"


@pytest.mark.parametrize(
    "options",
    [
        ("m.onnx", "--engine", "onnx"),
        ("m.onnx", "--for", "batch"),
        ("m.onnx", "--allow-pickle"),
        ("plain.joblib", "--classes", "a,b"),
        ("plain.joblib", "--engine", "litert"),
        ("plain.joblib", "--for", "fun"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], run: Run, place: Path) -> None:
    (place / "m.onnx").write_bytes(b"")
    assert run("pack", *options).exit_code == 2


@pytest.mark.parametrize("engine", ["onnx", "sklearn"])
def test_a_built_folder_names_what_its_engine_needs_and_answers(engine: str, run: Run, place: Path) -> None:
    made = pack(PLAIN, place / "m.safetensors", sample=X, edge_count=20, engine=engine)
    result = run("build", "aws", "--model", "m.safetensors", "-o", "built", "--python", PYTHON, "--no-install")
    assert result.exit_code == 0, result.output
    wanted = [f"{package}=={version}" for package, version in made.requires.items()]
    assert wanted and (place / "built" / "requirements.txt").read_text().splitlines()[-len(wanted) :] == wanted
    assert "pip install -r" in result.stdout
    Path("event.json").write_text(json.dumps({"instances": [{"a": 1.0, "b": -1.0}]}))
    answered = run("invoke", "aws", "--folder", "built", "--event", "event.json", "--json")
    assert answered.exit_code == 0, answered.output
    assert json.loads(answered.stdout)["answer"]["body"]["predictions"] == ["yes"]


@pytest.mark.parametrize(
    "requires",
    [{"evil-package": "1.0"}, {"numpy": "1.0\nevil"}, {"numpy": "1.0 --index-url x"}, {"numpy": 2}, {"-r": "other.txt"}],
)
def test_a_file_can_not_make_a_folder_install_what_it_likes(requires: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="no engine needs this package"):
        requirements.add(tmp_path / "requirements.txt", {"requires": requires})
    assert not any(tmp_path.iterdir())


def test_a_plan_adds_nothing_to_a_folder(penguins: Path, tmp_path: Path) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON)
    assert made.requires == []
    assert "numpy" not in (made.folder / "requirements.txt").read_text()
