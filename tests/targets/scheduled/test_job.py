"""A built folder's job scores the files of a folder, or its share of them, and ends as a scheduler expects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from flyweight.toolkit import targets
from flyweight.toolkit.cli import main
from tests import fitted

PROGRAM = "scheduled_main.py"


def started(folder: Path, *words: Any, **environ: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the folder's program as a container does: its exit status and the lines of its log."""
    given = {**os.environ, "PYTHONPATH": str(folder), **environ}
    done = subprocess.run([sys.executable, "-P", folder / PROGRAM, *map(str, words)], env=given, capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Four files of penguins."""
    X = fitted.penguins()[1].reset_index(names="id")
    (tmp_path / "in").mkdir()
    for number in range(4):
        X.iloc[number::4].to_parquet(tmp_path / "in" / f"{number}.parquet", index=False)
    return tmp_path / "in"


def test_the_folder_answers_the_models_sample(built: Callable[[str], Path]) -> None:
    done = CliRunner().invoke(main, ["invoke", "scheduled", "--folder", str(built("scheduled"))])
    assert done.exit_code == 0, done.output
    assert "as recorded" in done.output and "yes" in done.output and PROGRAM in done.output


def test_a_run_scores_every_file_and_the_next_one_none(built: Callable[[str], Path], rows: Path, tmp_path: Path) -> None:
    status, log = started(built("scheduled"), rows, "--output", tmp_path / "out", "--keep", "id", "--workers", 2)
    assert status == 0 and (log[-1]["files"], log[-1]["rows"], log[-1]["kept"]) == (4, 344, 0)
    estimator, X = fitted.penguins()
    found = {
        row["id"]: row["prediction"] for path in (tmp_path / "out").glob("*.parquet") for row in pq.read_table(path).to_pylist()
    }
    assert [found[number] for number in range(len(X))] == estimator.predict(X).tolist()
    assert started(built("scheduled"), rows, "--output", tmp_path / "out", "--keep", "id", "--workers", 1)[1][-1]["kept"] == 4


@pytest.mark.parametrize(
    "names", [("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"), ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE")]
)
def test_tasks_share_the_files(built: Callable[[str], Path], rows: Path, tmp_path: Path, names: tuple[str, str]) -> None:
    for task in range(3):
        environ = dict(zip(names, (str(task), "3"), strict=True))
        status, log = started(built("scheduled"), rows, "--output", tmp_path / "out", "--workers", 1, **environ)
        assert status == 0 and log[-1]["of"] == (2 if task == 0 else 1)
    assert len([*(tmp_path / "out").glob("*.parquet")]) == 4


def test_a_file_that_fails_ends_the_run_with_one_and_is_in_the_log(
    built: Callable[[str], Path], rows: Path, tmp_path: Path
) -> None:
    (rows / "bad.parquet").write_bytes(b"no")
    status, log = started(built("scheduled"), rows, "--output", tmp_path / "out", "--workers", 1)
    assert status == 1 and log[-1]["files"] == 4 and "bad.parquet" in log[0]["message"] and log[0]["level"] == "ERROR"
    status, log = started(built("scheduled"), tmp_path / "nothing", "--output", tmp_path / "out")
    assert status == 1 and "no file of a table" in log[0]["message"]
    status, log = started(built("scheduled"), rows, "--output", tmp_path / "out", "--model", tmp_path / "none.safetensors")
    assert status == 1 and "No such file" in log[0]["message"] and "none.safetensors" in log[0]["message"]


def test_the_answers_folder_keeps_its_name(built: Callable[[str], Path], rows: Path, tmp_path: Path) -> None:
    assert started(built("scheduled"), rows, "--output", tmp_path / "by day=1", "--workers", 1)[0] == 0
    assert len([*(tmp_path / "by day=1").glob("*.parquet")]) == 4
    before = (rows / "0.parquet").read_bytes()
    status, log = started(built("scheduled"), rows, "--output", rows, "--workers", 1)
    assert status == 1 and "would replace a file" in log[0]["message"] and (rows / "0.parquet").read_bytes() == before


def test_the_image_runs_the_program_and_is_no_server() -> None:
    package = targets.find("scheduled").package
    assert package.dockerfile is not None and package.image is not None
    text = package.dockerfile("3.13", True)
    assert f'ENTRYPOINT ["python3", "{PROGRAM}"]' in text and "pip install" in text
    assert "EXPOSE" not in text and "HEALTHCHECK" not in text and "PORT" not in package.image.variables
    assert "HEALTHCHECK" in (targets.find("docker").package.dockerfile or (lambda *_: ""))("3.13", True)


def test_only_builds_for_batches_have_the_jobs(built: Callable[[str], Path]) -> None:
    assert (built("scheduled") / "flyweight" / "jobs").is_dir() or (built("scheduled") / "flyweight" / "jobs").with_suffix(
        ".pyc"
    ).exists()
    assert not (built("docker") / "flyweight" / "jobs").exists()
