"""A folder for Spark has what spark-submit sends to a cluster, and its jobs score tables and streams with it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from flyweight.toolkit.errors import RuntimeFailed, ToolkitError
from tests import fitted
from tests.batch.conftest import environment
from tests.conftest import PYTHON


def test_the_zip_is_the_core_with_its_scorer_and_imports_from_where_it_is(built: Callable[[str], Path], penguins: Path) -> None:
    folder = built("spark")
    program = (
        f"import sys; sys.path.insert(0, {str(folder / 'flyweight.zip')!r}); import flyweight, flyweight.arrow.spark;"
        f"row = ['Biscoe', 46.1, 13.2, 211, 4500, 'female', 2007];"
        f"print(flyweight.__file__, flyweight.load({str(penguins)!r}).predict([row]).predictions)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(folder / "flyweight.zip")) and "Gentoo" in done.stdout


def test_the_zip_is_the_same_each_time(penguins: Path, tmp_path: Path) -> None:
    made = [flyweight.build("spark", penguins, tmp_path / name, python=PYTHON).folder for name in "ab"]
    first, second = [(folder / "flyweight.zip").read_bytes() for folder in made]
    assert first == second


def test_an_interpreter_without_spark_is_reported_with_what_installs_it(built: Callable[[str], Path]) -> None:
    job = targets.find("spark").job(built("spark"))
    with pytest.raises(RuntimeFailed, match="has no pyspark") as failed:
        job.description()
    assert 'pip install "pyspark[sql]"' in failed.value.next_step


def test_what_belongs_to_requests_is_refused_in_words(built: Callable[[str], Path]) -> None:
    folder = str(built("spark"))
    event = CliRunner().invoke(main, ["invoke", "spark", "--folder", folder, "--event", "predict"])
    assert event.exit_code == 2 and "spark scores batches and has no events" in event.output
    doctor = CliRunner().invoke(main, ["doctor", folder])
    assert (
        doctor.exit_code == 1 and "spark scores batches and answers no requests, so that there is no cold start" in doctor.stderr
    )
    assert f"flyweight invoke spark --folder {folder}" in doctor.stderr


@pytest.mark.slow
def test_invoke_scores_the_models_sample_with_spark_submit(built: Callable[[str], Path]) -> None:
    python = environment("spark")
    words = ["invoke", "spark", "--folder", str(built("spark")), "--python", str(python), "--json"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["as_recorded"] is True and told["engine"].startswith("pyspark 4.") and len(told["predictions"]) >= 3


@pytest.mark.slow
def test_a_job_that_fails_is_reported_with_its_last_words(built: Callable[[str], Path], tmp_path: Path) -> None:
    job = targets.find("spark").job(built("spark"), python=str(environment("spark")))
    with pytest.raises(ToolkitError, match="the data frame has no column 'island'"):
        job.run([{"sex": "female"}], tmp_path)


@pytest.fixture
def birds(tmp_path: Path) -> pa.Table:
    """Penguins in two files of CSV, whose columns are in another order than the model's."""
    frame = fitted.penguins()[1].assign(id=range(len(fitted.penguins()[1])))
    frame = frame[[*reversed(frame.columns)]]
    (tmp_path / "birds").mkdir()
    for number, begin in enumerate(range(0, len(frame), 200)):
        frame[begin : begin + 200].to_csv(tmp_path / "birds" / f"{number}.csv", index=False)
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.mark.slow
@pytest.mark.parametrize("entry", ["spark_job.py", "spark_stream.py"])
def test_the_jobs_score_csv_by_the_models_types_and_count_rows(
    entry: str, built: Callable[[str], Path], birds: pa.Table, penguins: Path, tmp_path: Path
) -> None:
    job: Any = targets.find("spark").job(built("spark"), python=str(environment("spark")))
    words = ["--input", tmp_path / "birds", "--output", tmp_path / "out", "--format", "csv", "--output-format", "parquet"]
    words += ["--keep", "id", "--partitions", "3"]
    words += ["--checkpoint", tmp_path / "checkpoint", "--once", "--files-at-once", "1"] if "stream" in entry else []
    command = ["sh", str(job.folder / "submit.sh"), *map(str, words)]
    variables = {**job.variables(), "JOB": entry}
    done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    files = [pq.ParquetFile(path).read() for path in (tmp_path / "out").rglob("*.parquet")]
    answers = pa.concat_tables(files).sort_by("id")
    expected = flyweight.Scorer(penguins, keep=["id"], on_error="column")(birds)
    assert answers.select(["prediction", "probabilities", "error"]).to_pylist() == expected.drop_columns(["id"]).to_pylist()
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"log": "flyweight"')]
    assert [one["rows"] for one in told] == ([200, 144] if "stream" in entry else [344])
    assert [one["failed"] for one in told] == [0] * len(told)
