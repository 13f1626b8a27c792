"""`batch_driver.py` as a batch job calls it: files in, one line a row out, and a file that can't be scored fails by its name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
ROWS = [["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007], ["Torgersen", 39.1, 18.7, 181.0, 3750.0, "male", 2007]]
TABLE = pd.DataFrame(ROWS, columns=NAMES)
LABELS = ["Gentoo", "Adelie"]
# a job imports the script out of the folder of its code, and prints what it returned
PROGRAM = "import json, sys; import batch_driver; batch_driver.init(); print(json.dumps(batch_driver.run(sys.argv[1:])))"


def scored(folder: Path, *paths: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, *map(str, paths)]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)


def lines(folder: Path, *paths: Path, **environ: str) -> list[dict[str, Any]]:
    done = scored(folder, *paths, **environ)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in json.loads(done.stdout)]


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The same two rows in each format."""
    TABLE.to_csv(tmp_path / "a.csv", index=False)
    TABLE.to_json(tmp_path / "b.jsonl", orient="records", lines=True)
    return [tmp_path / "a.csv", tmp_path / "b.jsonl"]


def test_each_row_of_each_file_has_a_line_with_its_place(files: list[Path], built: Callable[[str], Path]) -> None:
    found = lines(built("azure_ml"), *files)
    assert [line["prediction"] for line in found] == [*LABELS, *LABELS]
    assert [(line["file"], line["line"]) for line in found] == [("a.csv", 2), ("a.csv", 3), ("b.jsonl", 1), ("b.jsonl", 2)]


def test_parquet_is_read_where_pyarrow_is(tmp_path: Path, built: Callable[[str], Path]) -> None:
    pytest.importorskip("pyarrow")
    TABLE.to_parquet(tmp_path / "c.parquet", index=False)
    assert [line["prediction"] for line in lines(built("azure_ml"), tmp_path / "c.parquet")] == LABELS


def test_a_rejected_row_is_a_line_with_its_problem(tmp_path: Path, built: Callable[[str], Path]) -> None:
    text = TABLE.to_csv(index=False).replace("39.1", "much")
    (tmp_path / "a.csv").write_text(text)
    answer, rejected = lines(built("azure_ml"), tmp_path / "a.csv")
    assert (answer["line"], answer["prediction"]) == (2, "Gentoo")
    assert (rejected["line"], rejected["problem"]["status"]) == (3, 422) and "much" in rejected["row"]


def test_a_file_of_other_columns_fails_by_its_name(tmp_path: Path, files: list[Path], built: Callable[[str], Path]) -> None:
    (tmp_path / "z.csv").write_text("wrong\n1\n")
    done = scored(built("azure_ml"), files[0], tmp_path / "z.csv")
    assert done.returncode == 1 and f"in the file {tmp_path / 'z.csv'}" in done.stderr


def test_a_mounted_model_scores(files: list[Path], penguins: Path, built: Callable[[str], Path], tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    (mount / "own.safetensors").write_bytes(penguins.read_bytes())
    found = lines(built("azure_ml"), files[0], AZUREML_MODEL_DIR=str(mount), FLYWEIGHT_SHA256="")
    assert [line["prediction"] for line in found] == LABELS


def test_an_empty_mini_batch_has_no_lines(built: Callable[[str], Path]) -> None:
    assert lines(built("azure_ml")) == []
