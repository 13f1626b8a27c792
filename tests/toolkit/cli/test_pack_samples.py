"""Samples on the command line: forms of files, kinds of columns, and inputs that are no feature."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

Run = Callable[..., Result]
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"zip": RNG.choice(["01234", "00501", "NA"], 80), "size": RNG.normal(size=80)})
MODEL = make_pipeline(
    make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["zip"]), remainder="passthrough"), LogisticRegression()
).fit(FRAME, (FRAME["size"] + 2 * (FRAME["zip"] == "NA") > 1).astype(int))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an estimator."""
    monkeypatch.chdir(tmp_path)
    joblib.dump(MODEL, "m.joblib")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "options"),
    [("rows.csv", ()), ("odd.txt", ("--delimiter", ";", "--encoding", "utf-16")), ("rows.ndjson", ()), ("rows.parquet", ())],
)
def test_each_form_of_sample_gives_the_same_model_and_the_report_tells_what_was_read_back(
    name: str, options: tuple[str, ...], run: Run, place: Path
) -> None:
    write = {
        "rows.csv": lambda: FRAME.to_csv(name, index=False),
        "odd.txt": lambda: FRAME.to_csv(name, index=False, sep=";", encoding="utf-16"),
        "rows.ndjson": lambda: FRAME.to_json(name, orient="records", lines=True, double_precision=15),
        "rows.parquet": lambda: FRAME.to_parquet(name),
    }
    write[name]()
    result = run("pack", "m.joblib", "--sample", name, "--rows", 20, *options)
    assert result.exit_code == 0, result.output
    assert "80 rows from CSV, JSON, NDJSON, Parquet: 0 different" in " ".join(result.stdout.split())
    FRAME.to_csv("again.csv", index=False)
    answered = run("predict", "m.safetensors", "again.csv", "-o", "answers.csv")
    assert answered.exit_code == 0, answered.output
    assert pd.read_csv("answers.csv")["prediction"].tolist() == MODEL.predict(FRAME).tolist()


def test_what_is_named_wrongly_is_refused_with_what_was_meant(run: Run, place: Path) -> None:
    FRAME.to_csv("rows.csv", index=False)
    refused = run("pack", "m.joblib", "--sample", "rows.csv", "--types", "zpi=string")
    assert refused.exit_code == 1 and "did you mean 'zip'?" in refused.stderr
    assert run("pack", "m.joblib", "--sample", "rows.csv", "--types", "zip").exit_code == 2
    FRAME.to_csv("rows.csv", index=False, sep=";")
    assert "--delimiter ';'" in run("pack", "m.joblib", "--sample", "rows.csv").stderr


def test_the_policy_for_unknown_inputs_and_the_rows_read_back_are_in_the_report_and_the_file(run: Run, place: Path) -> None:
    FRAME.to_csv("rows.csv", index=False)
    made = run("pack", "m.joblib", "--sample", "rows.csv", "--rows", 20, "--unknown", "ignore", "--json")
    report = json.loads(made.stdout)
    assert report["parity"]["read_back"] == dict.fromkeys(["CSV", "JSON", "NDJSON", "Parquet"], 80)
    document = json.loads(run("inspect", "m.safetensors", "--json").stdout)
    assert document["signature"]["unknown"] == "ignore" and document["parity"]["read_back"] == report["parity"]["read_back"]
