"""Compare the ways to score a large table with one fitted model: our scorer in engines, and scikit-learn itself.

    .ci/install-engines spark
    python -m benchmarks.batch_engines --rows 10000000

The ways take turns in fresh processes, each with one thread for its sums. Rows a second are counted from reading Parquet to its
answers in Parquet; before that each engine has started and has scored a few rows, and Python has kept the modules that it
compiled, as it does by default. The ratios are medians of the ratios in each round: to our scorer on as many cores, and to
scikit-learn on one. The memory is the most that all processes of a way have together. An engine that is not installed is left
out, in words.

The table is written in pieces, one model's at a time: ten million rows take 4 GB in TMPDIR.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import click
import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich import box
from rich.console import Console
from rich.table import Table

import flyweight
from benchmarks import peak
from benchmarks.environments import ROOT
from benchmarks.models import Model, forest, mixed

FILES = 8  # of the table
AT_ONCE = 100_000  # rows that are made at once
OURS = "our scorer in a plain process"
SPARK = ROOT / ".tools" / "engines-spark" / "bin" / "python"


@dataclass(frozen=True)
class Way:
    """A way to score: its name in `batch_worker.py`, its title, how many cores it uses, and the module that it needs."""

    name: str
    title: str
    cores: int = 1
    module: str = ""


WAYS = (
    Way("plain", OURS),
    Way("processes", "our scorer in two processes", 2),
    Way("chunks", "scikit-learn, pandas chunks"),
    Way("predict", "flyweight predict", 2),
    Way("duckdb", "DuckDB, SQL function", 1, "duckdb"),
    Way("polars", "polars, lazy frame", 2, "polars"),
    Way("spark", "Spark, mapInArrow", 2, "pyspark"),
    Way("spark_alone", "Spark, mapInArrow without a model", 2, "pyspark"),
    Way("spark_joblib", "Spark, joblib in a pandas_udf", 2, "pyspark"),
)
# what the first is to reach of the second, by their names
GOALS = (("spark", "processes", 0.9), ("spark", "spark_joblib", 3.0), ("predict", "chunks", 1.0), ("duckdb", "plain", 1 / 1.2))


def python_of(way: Way) -> str | None:
    """Find the interpreter that has what a way needs, None if none has."""
    if way.module == "pyspark":
        return str(SPARK) if SPARK.exists() else None
    return sys.executable if not way.module or find_spec(way.module) else None


def make_table(model: Model, rows: int, place: Path) -> None:
    """Write a table like the one that the model was fitted to: its rows at random, with noise on the numbers."""
    random, frame = np.random.default_rng(7), model.sample
    numbers = [name for name in frame if frame[name].dtype.kind in "fi"]
    spread = {name: 0.1 * float(frame[name].std()) for name in numbers}
    bounds = np.linspace(0, rows, FILES + 1).astype(int)
    for number, (begin, end) in enumerate(pairwise(bounds)):
        writer = None
        for start in range(begin, end, AT_ONCE):
            count = min(AT_ONCE, end - start)
            taken = frame.iloc[random.integers(0, len(frame), count)].reset_index(drop=True)
            noisy = {name: taken[name].astype(float) + random.normal(0, spread[name], count) for name in numbers}
            whole = pa.Table.from_pandas(taken.assign(**noisy, id=np.arange(start, start + count)), preserve_index=False)
            writer = writer or pq.ParquetWriter(place / f"{number}.parquet", whole.schema)
            writer.write_table(whole)
        if writer is not None:
            writer.close()


def measured(way: Way, python: str, files: tuple[Path, Path, Path], work: Path, rows: int) -> tuple[float, float]:
    """Run a way in a fresh process.

    :param files: the model file, the estimator and the folder of the table.
    :returns: rows a second, and megabytes of memory.
    """
    places = os.pathsep.join([str(ROOT / "shared"), str(ROOT)])
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
    modules = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(work / "modules")}
    environ = {**os.environ, **one, **modules, "PYTHONPATH": places, "POLARS_MAX_THREADS": str(way.cores)}
    command = [python, "-m", "benchmarks.batch_worker", way.name, *map(str, files), str(work)]
    done, megabytes = peak.run(command, env=environ, cwd=ROOT)
    if done.returncode:
        raise click.ClickException(f"{way.title}: {done.stderr.strip()[-2000:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    if told["rows"] != rows:
        raise click.ClickException(f"{way.title} answered {told['rows']} of {rows} rows")
    return rows / told["seconds"], megabytes


def ratio(series: dict[str, list[float]], one: str, other: str) -> float | None:
    """Compute the median of the ratios in each round; None where one was not measured."""
    if one not in series or other not in series:
        return None
    return median(mine / theirs for mine, theirs in zip(series[one], series[other], strict=True))


def rendered(title: str, series: dict[str, list[float]], memory: dict[str, float]) -> Table:
    """Make the table of one model.

    :param memory: the most megabytes of each way.
    """
    table = Table(title=title, box=box.MARKDOWN)
    for name in ("way", "cores", "rows/s", "to our scorer", "to scikit-learn", "MB"):
        table.add_column(name, justify="left" if name == "way" else "right")
    for way in WAYS:
        if way.name in series:
            ours = ratio(series, way.name, "plain" if way.cores == 1 else "processes")
            theirs = ratio(series, way.name, "chunks")
            cells = [f"{value:.2f}" if value is not None else "-" for value in (ours, theirs)]
            table.add_row(way.title, str(way.cores), f"{median(series[way.name]):,.0f}", *cells, f"{memory[way.name]:,.0f}")
    return table


def reached(series: dict[str, list[float]]) -> Iterable[str]:
    """Say how far each goal was reached."""
    titles = {way.name: way.title for way in WAYS}
    for one, other, least in GOALS:
        if (found := ratio(series, one, other)) is not None:
            word = "reached" if found >= least else "missed"
            yield f"{titles[one]} to {titles[other]}: {found:.2f}, at least {least:.2f}: {word}"


@click.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Of each table.")
@click.option("--rounds", default=3, show_default=True, help="How often each way has its turn.")
@click.option("--model", "chosen", multiple=True, type=click.Choice(["forest", "mixed"]), help="[default: both]")
@click.option("--way", "ways", multiple=True, type=click.Choice([way.name for way in WAYS]), help="[default: all]")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures to this file as JSON.")
def main(rows: int, rounds: int, chosen: tuple[str, ...], ways: tuple[str, ...], out: Path | None) -> None:
    """Compare ways to score a table of ROWS rows; see the module's docstring."""
    console, figures, peaks = Console(), dict[str, Any](), dict[str, Any]()
    pythons = {way: python_of(way) for way in WAYS if not ways or way.name in ways}
    for way in [way for way, python in pythons.items() if python is None]:
        console.print(f"left out: {way.title}: {way.module} is not installed")
    for make in (forest, mixed):
        if chosen and make.__name__ not in chosen:
            continue
        model = make()
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            files = (place / "model.safetensors", place / "model.joblib", place / "table")
            files[2].mkdir()
            flyweight.pack(model.estimator, files[0], sample=model.sample, name=model.name)
            joblib.dump(model.estimator, files[1])
            make_table(model, rows, files[2])
            series: dict[str, list[float]] = {}
            memory: dict[str, float] = {}
            for number in range(rounds):
                turns = [(way, python) for way, python in pythons.items() if python is not None]
                for way, python in [*turns[number % len(turns) :], *turns[: number % len(turns)]]:
                    speed, megabytes = measured(way, python, files, place / "work", rows)
                    series.setdefault(way.name, []).append(speed)
                    memory[way.name] = max(megabytes, memory.get(way.name, 0.0))
        figures[model.name], peaks[model.name] = series, memory
        console.print(rendered(f"{model.title}, {rows:,} rows, {rounds} rounds", series, memory))
        for line in reached(series):
            console.print(line)
    if out is not None:
        found = {"rows": rows, "rounds": rounds, "rows_a_second": figures, "megabytes": peaks}
        out.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
