"""A table of penguins with an id in every format, and jobs that score it in this process by small pieces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import flyweight
from flyweight.jobs import blocks, inputs, pieces
from flyweight.jobs.run import Progress, run
from flyweight.jobs.scoring import Job
from tests import fitted

Score = Callable[..., Progress]
ROWS = 3000


def table() -> pd.DataFrame:
    """Penguins again and again, with an id."""
    X = fitted.penguins()[1]
    repeated = pd.concat([X] * (ROWS // len(X) + 1), ignore_index=True).iloc[:ROWS]
    repeated.insert(0, "id", range(ROWS))
    return repeated


def write_all(folder: Path, frame: pd.DataFrame) -> None:
    """Write a table in every format, in folders such as Spark writes."""
    for number, form in enumerate(("csv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "parquet", "arrow")):
        path = folder / f"day={number}" / f"part-0.{form}"
        path.parent.mkdir(parents=True)
        if form.startswith("csv"):
            frame.to_csv(path, index=False)
        elif form.startswith("jsonl"):
            frame.to_json(path, orient="records", lines=True)
        elif form == "parquet":
            frame.to_parquet(path, index=False, row_group_size=700)
        else:
            frame.to_feather(path, chunksize=900, compression="lz4")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and pieces so small that a small file has many."""
    monkeypatch.setattr(pieces, "MIN_BYTES", 1000)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 9000)
    monkeypatch.setattr(pieces, "PIECE_ROWS", 500)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 130)


@pytest.fixture
def score(penguins: Path, tmp_path: Path) -> Score:
    """Score addresses into `tmp_path / "out"`."""

    def scored(*addresses: Any, workers: int = 1, model: Path = penguins, **options: Any) -> Progress:
        job = Job(str(model), flyweight.load(model).file.sha256, f"file://{tmp_path / 'out'}", **options)
        return run(job, inputs.find(map(str, addresses)), workers)

    return scored
