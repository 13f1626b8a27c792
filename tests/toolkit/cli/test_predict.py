"""`flyweight predict` answers the rows of a file in every form as the estimator does, or says which row is wrong and how."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import flyweight
from flyweight.toolkit.cli import main
from tests import fitted

Run = Callable[..., Result]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """The penguins' table as CSV, without the target."""
    fitted.penguins()[1].to_csv(tmp_path / "rows.csv", index=False)
    return tmp_path / "rows.csv"


def labels(result: Result) -> list[str]:
    """Read the predictions of an answer in CSV or in JSON lines."""
    assert result.exit_code == 0, result.output
    text = result.stdout
    if text.startswith("{"):
        return [json.loads(line)["prediction"] for line in text.splitlines()]
    return [row["prediction"] for row in csv.DictReader(io.StringIO(text))]


def test_every_row_is_answered_as_by_the_estimator(run: Run, penguins: Path, rows: Path) -> None:
    estimator, X = fitted.penguins()
    result = run("predict", penguins, rows)
    assert labels(result) == estimator.predict(X).tolist()
    first = next(csv.DictReader(io.StringIO(result.stdout)))
    assert float(first["probability_Adelie"]) == pytest.approx(estimator.predict_proba(X)[0, 0], abs=1e-12)


def test_every_form_of_a_table_has_the_same_answers(run: Run, penguins: Path, tmp_path: Path) -> None:
    estimator, X = fitted.penguins()
    expected = estimator.predict(X).tolist()
    lines = X.to_json(orient="records", lines=True)
    X.to_csv(tmp_path / "rows.csv", index=False)
    X[reversed(X.columns)].to_csv(tmp_path / "turned.csv", index=False)
    X.to_parquet(tmp_path / "rows.parquet")
    texts = {
        "rows.jsonl": lines,
        "rows.ndjson": lines,
        "lines.json": lines,
        "rows.json": X.to_json(orient="records"),
        "indented.json": X.to_json(orient="records", indent=1),
        "body.json": json.dumps({"instances": json.loads(X.to_json(orient="values"))}),
        "one_line.json": json.dumps({"instances": json.loads(X.to_json(orient="values"))}) + "\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for name in ("rows.csv", "rows.jsonl", "rows.json"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    for path in sorted(tmp_path.iterdir()):
        assert labels(run("predict", penguins, path)) == expected, path.name


@pytest.mark.parametrize("named", ["csv", "jsonl", "json"])
def test_standard_input_has_the_format_that_is_named(penguins: Path, rows: Path, named: str) -> None:
    table = pd.read_csv(rows, keep_default_na=False, na_values=[""])
    text = rows.read_text() if named == "csv" else table.to_json(orient="records", lines=named == "jsonl")
    result = CliRunner().invoke(main, ["predict", str(penguins), "-", "--format", named, "--json"], input=text)
    assert labels(result) == fitted.penguins()[0].predict(fitted.penguins()[1]).tolist()


def test_the_outputs_that_are_named_are_written(run: Run, penguins: Path, rows: Path) -> None:
    lines = run("predict", penguins, rows, "--outputs", "scores").stdout.splitlines()
    assert lines[0] == "score_Adelie,score_Chinstrap,score_Gentoo"
    refused = run("predict", penguins, rows, "--outputs", "shap")
    assert refused.exit_code == 1
    assert refused.stderr == f"error: {penguins} has no output 'shap'\nnext: choose among predictions, probabilities, scores\n"


def test_a_file_of_many_batches_has_one_header(run: Run, penguins: Path, rows: Path, tmp_path: Path) -> None:
    header, *others = rows.read_text().splitlines(keepends=True)
    long, out = tmp_path / "long.csv", tmp_path / "out.csv"
    long.write_text(header + "".join(others) * 16)
    assert run("predict", penguins, long, "-o", out).exit_code == 0
    lines = out.read_text().splitlines()
    assert len(lines) == 1 + 344 * 16 and lines.count(lines[0]) == 1


def test_a_category_called_na_is_never_null(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"country": rng.choice(["NA", "DE", "None", "null"], 300), "x": rng.normal(size=300)})
    y = ((X["country"] == "NA") * 3 + X["x"] > 1).astype(int)
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["country"]), remainder="passthrough")
    estimator = make_pipeline(columns, LogisticRegression()).fit(X, y)
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=X)
    X.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "rows.jsonl").write_text(X.to_json(orient="records", lines=True))
    for name in ("rows.csv", "rows.jsonl"):
        answered = labels(run("predict", tmp_path / "m.safetensors", tmp_path / name, "--json"))
        assert answered == estimator.predict(X).tolist(), name


def test_an_unknown_column_is_an_error_or_ignored(run: Run, penguins: Path, rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, X = fitted.penguins()
    X.assign(species="?").to_csv(rows, index=False)
    refused = run("predict", penguins, rows)
    assert refused.exit_code == 1 and "'species'" in refused.stderr and "--unknown ignore" in refused.stderr
    expected = estimator.predict(X).tolist()
    assert labels(run("predict", penguins, rows, "--unknown", "ignore")) == expected
    monkeypatch.setenv("FLYWEIGHT_UNKNOWN_FEATURES", "ignore")
    assert labels(run("predict", penguins, rows)) == expected
    X.rename(columns={"island": "Island"}).to_csv(rows, index=False)
    assert "did you mean 'island'?" in run("predict", penguins, rows, "--unknown", "error").stderr


def test_a_column_that_nothing_reads_may_be_absent(run: Run, tmp_path: Path) -> None:
    X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "note": ["x", "y", "z", "w"]})
    columns = make_column_transformer(("passthrough", ["a"]), ("drop", ["note"]))
    estimator = make_pipeline(columns, LogisticRegression()).fit(X, [0, 0, 1, 1])
    flyweight.pack(estimator, tmp_path / "m.safetensors", sample=X)
    for name, table in (("whole.csv", X), ("less.csv", X[["a"]])):
        table.to_csv(tmp_path / name, index=False)
        assert labels(run("predict", tmp_path / "m.safetensors", tmp_path / name)) == ["0", "0", "1", "1"]


def test_digits_in_strings_are_read_where_that_is_asked(run: Run, penguins: Path, tmp_path: Path) -> None:
    estimator, X = fitted.penguins()
    table = X.dropna().head(5)
    path = tmp_path / "rows.jsonl"
    path.write_text(table.astype(str).to_json(orient="records", lines=True))
    assert "parse_text" in run("predict", penguins, path).stderr
    assert labels(run("predict", penguins, path, "--parse-text")) == estimator.predict(table).tolist()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("bad.csv", "a,b\n1,2\n", "feature 'island'"),
        ("bad.csv", "", "bad.csv is empty"),
        ("bad.csv", "{header}\nBiscoe,1\n", "line 2: the row has 2 values, the header has 7"),
        ("bad.csv", "{header}\nBiscoe,1,2,3,4,male,2007\nBiscoe,1,2,x,4,male,2007\n", "line 3, feature 'flipper_length_mm'"),
        ("bad.csv", '{header}\n"Biscoe,1', "line 2: the row is not CSV"),
        ("bad.jsonl", '{"island": 5}\n', "line 1, feature"),
        ("bad.jsonl", '[1, 2]\n\n{"island": \n', "line 1: expected 7 values"),
        ("bad.jsonl", "\n{\n", "line 2 is not JSON"),
        ("bad.json", "[1", "bad.json is not JSON"),
        ("bad.json", '{"island": "Biscoe"}', 'wrap the instance: {"instances": [{...}]}'),
        ("bad.json", '[["Biscoe"]]', "instance 0: expected 7 values"),
        ("bad.parquet", "PAR1", "bad.parquet is not Parquet"),
        ("bad.xlsx", "PK", "--format csv, jsonl, json or parquet"),
        ("bad.csv.gz", "plain", "are not gzip"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(run: Run, penguins: Path, tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text.replace("{header}", ",".join(fitted.penguins()[1].columns)))
    result = run("predict", penguins, path)
    assert result.exit_code == 1 and words in result.stderr and "next: " in result.stderr
    assert "Traceback" not in result.stderr


def test_an_estimator_that_is_not_packed_is_named_and_the_command_is_told(run: Run, rows: Path, tmp_path: Path) -> None:
    joblib.dump(fitted.penguins()[0], tmp_path / "model.joblib")
    refused = run("predict", tmp_path / "model.joblib", rows)
    assert refused.exit_code == 1 and "is an estimator that is not packed yet" in refused.stderr
    assert "flyweight pack" in refused.stderr and "-o model.safetensors" in refused.stderr
    other = run("predict", rows, rows)
    assert other.exit_code == 1 and "is not a safetensors file" in other.stderr


def test_an_absent_file_is_named(run: Run, penguins: Path) -> None:
    missing: Any = run("predict", penguins, "absent.csv")
    assert missing.exit_code == 1 and "absent.csv: No such file" in missing.stderr


def test_answers_that_cannot_be_written_are_refused_with_a_next_step(run: Run, penguins: Path, rows: Path) -> None:
    name = rows.parent / f"{'n' * 300}.csv"
    refused: Any = run("predict", penguins, rows, "-o", name)
    assert refused.exit_code == 1 and refused.stderr.startswith("error: ") and "next: give it a shorter name" in refused.stderr
    as_json: Any = run("predict", penguins, rows, "-o", name, "--json")
    assert json.loads(as_json.stdout)["next_step"] == "give it a shorter name"


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(penguins: Path, rows: Path, tmp_path: Path) -> None:
    header, *others = rows.read_text().splitlines(keepends=True)
    peaks = []
    for times in (20, 400):
        path = tmp_path / f"{times}.csv"
        path.write_text(header + "".join(others) * times)
        program = (
            "import resource, sys; from flyweight.toolkit.cli import main; main(sys.argv[1:], standalone_mode=False); "
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
        )
        command = [sys.executable, "-c", program, "predict", str(penguins), str(path), "-o", str(tmp_path / "out.csv")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stderr.split()[-1]))
    assert peaks[1] < 1.25 * peaks[0], peaks


@pytest.mark.parametrize(
    ("name", "written", "options"),
    [
        ("rows.tsv", {"sep": "\t"}, []),
        ("rows.tsv.gz", {"sep": "\t"}, []),
        ("rows.csv", {"sep": ";"}, ["--delimiter", ";"]),
        ("rows.csv", {"encoding": "latin-1"}, ["--encoding", "latin-1"]),
        ("rows.csv", {"encoding": "utf-16"}, []),
        ("rows.csv", {"encoding": "utf-16", "sep": ";", "quoting": csv.QUOTE_ALL}, ["--delimiter", ";"]),
    ],
)
def test_a_table_is_read_with_the_delimiters_and_encodings_of_samples(
    run: Run, penguins: Path, tmp_path: Path, name: str, written: dict[str, Any], options: list[str]
) -> None:
    estimator, X = fitted.penguins()
    X.to_csv(tmp_path / name, index=False, **written)
    assert labels(run("predict", penguins, tmp_path / name, *options)) == estimator.predict(X).tolist()


def test_a_delimiter_is_proposed_for_a_header_without_a_comma(run: Run, penguins: Path, tmp_path: Path) -> None:
    fitted.penguins()[1].to_csv(tmp_path / "rows.csv", index=False, sep=";")
    result = run("predict", penguins, tmp_path / "rows.csv")
    assert result.exit_code == 1 and "has one column, 'island;" in result.stderr and "--delimiter ';'" in result.stderr


def test_a_model_behind_its_rows_gets_the_command_that_was_meant(run: Run, penguins: Path, rows: Path) -> None:
    result = run("predict", rows, penguins)
    assert result.exit_code == 1 and f"next: flyweight predict {penguins} {rows}" in result.stderr


def test_a_folder_that_does_not_exist_is_named_before_rows_are_predicted(
    run: Run, penguins: Path, rows: Path, tmp_path: Path
) -> None:
    result = run("predict", penguins, rows, "-o", tmp_path / "nowhere" / "answers.csv")
    assert result.exit_code == 1 and f"the folder {tmp_path / 'nowhere'} does not exist" in result.stderr


def test_one_of_several_files_that_does_not_exist_is_named(run: Run, penguins: Path, rows: Path, tmp_path: Path) -> None:
    result = run("predict", penguins, rows, tmp_path / "other.csv", "-o", f"{tmp_path}/answers/")
    assert result.exit_code == 1 and f"{tmp_path / 'other.csv'}: No such file" in result.stderr
