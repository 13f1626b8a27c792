"""The comparison of engines counts each row, says what is left out, and compares by rounds."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from benchmarks import batch_engines
from benchmarks.models import mixed


def test_a_table_has_its_rows_and_ids_in_files(tmp_path: Path) -> None:
    batch_engines.make_table(mixed(), 1001, tmp_path)
    assert len([*tmp_path.iterdir()]) == batch_engines.FILES
    assert sorted(pq.read_table(tmp_path).column("id").to_pylist()) == [*range(1001)]


def test_ratios_are_those_of_each_round_and_goals_are_told() -> None:
    series = {"spark": [9.0, 18.0, 40.0], "processes": [10.0, 20.0, 40.0], "plain": [5.0, 10.0, 20.0], "chunks": [2.0, 2.0, 2.0]}
    assert batch_engines.ratio(series, "spark", "processes") == 0.9
    assert batch_engines.ratio(series, "spark", "polars") is None
    assert [*batch_engines.reached(series)] == ["Spark, mapInArrow to our scorer in two processes: 0.90, at least 0.90: reached"]


@pytest.mark.slow
def test_a_run_scores_every_row_by_each_way_and_names_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_engines, "SPARK", tmp_path / "no-python")
    words = ["--rows", "20000", "--rounds", "1", "--model", "mixed", "--out", str(tmp_path / "figures.json")]
    ways = ["plain", "processes", "chunks", "duckdb", "spark"]
    done = CliRunner().invoke(batch_engines.main, [*words, *[word for way in ways for word in ("--way", way)]])
    assert done.exit_code == 0, done.output
    assert "left out: Spark, mapInArrow: pyspark is not installed" in done.output
    written = json.loads((tmp_path / "figures.json").read_text())
    figures, memory = written["rows_a_second"]["mixed"], written["megabytes"]["mixed"]
    assert {*figures} == {*memory} == {*ways} - {"spark"} and all(value[0] > 0 for value in figures.values())
    assert all(value > 50 for value in memory.values())
