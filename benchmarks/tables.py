"""Check random tables over random estimators: `tests/parity/random_tables.py` with as many tables as a night takes."""

from __future__ import annotations

import json
import os
import platform
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from rich.progress import track

from benchmarks.environments import ROOT
from tests.parity.random_tables import Outcome, attempt

RESULTS = ROOT / "benchmarks" / "results" / "tables.json"


def measured(first: int, count: int, processes: int) -> dict[str, Any]:
    """Try tables, and count the labels, those that differ, and the refusals by their reason."""
    began = time.perf_counter()
    seeds = range(first, first + count)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        outcomes = [*track(pool.map(attempt, seeds, chunksize=10), total=count, description="tables")]
    return {
        **figures(dict(zip(seeds, outcomes, strict=True))),
        "seconds": round(time.perf_counter() - began),
        "python": platform.python_version(),
    }


def figures(outcomes: dict[int, Outcome]) -> dict[str, Any]:
    """Count what became of the tables, by their seed."""
    refused = Counter(outcome.refused.partition(":")[0] for outcome in outcomes.values() if outcome.refused)
    return {
        "tables": len(outcomes),
        "labels": sum(outcome.labels for outcome in outcomes.values()),
        "different": {seed: outcome.different for seed, outcome in outcomes.items() if outcome.different},
        "refused": dict(refused),
    }


@click.command()
@click.option("--count", default=10_000, show_default=True, help="How many tables to make.")
@click.option("--first", default=0, show_default=True, help="The seed of the first.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(count: int, first: int, processes: int, out: Path) -> None:
    """Compare the labels of COUNT random tables in four forms of file with their estimators', and write the figures."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # of the processes that are started below
    found = measured(first, count, processes)
    out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    click.echo(f"{found['tables']} tables, {found['labels']} labels, {len(found['different'])} tables with other labels")
    raise SystemExit(1 if found["different"] else 0)


if __name__ == "__main__":
    main()
