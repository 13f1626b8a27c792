"""Score files by `flyweight predict` in one process and in two, and with pandas by chunks, joblib and scikit-learn.

    python -m benchmarks.jobs --millions 1
    python -m benchmarks.jobs --millions 1 --files 30

The second command measures memory instead: of a job over one file and over that many, each with all rows.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import flyweight
from benchmarks import peak

RESULTS = Path(__file__).parent / "results" / "jobs.json"
ROUNDS = 3
GROUP = 125_000  # rows of a row group of Parquet

# the usual program, without validation and without resuming: one process, answers in the format of the file
CHUNKS = """
import sys
import joblib, pandas as pd, pyarrow as pa, pyarrow.parquet as pq
model, source, target, form = sys.argv[1:]
estimator, writer = joblib.load(model), None
chunks = pd.read_csv(source, chunksize=100_000) if form == "csv" else (
    batch.to_pandas() for batch in pq.ParquetFile(source).iter_batches(100_000))
for chunk in chunks:
    X, probabilities = chunk.drop(columns="id"), None
    probabilities = estimator.predict_proba(X)
    answers = pd.DataFrame({"id": chunk["id"], "prediction": estimator.classes_[probabilities.argmax(axis=1)]})
    if form == "csv":
        for number, label in enumerate(estimator.classes_):
            answers[f"probability_{label}"] = probabilities[:, number]
        answers.to_csv(target, index=False, mode="a" if writer else "w", header=not writer)
        writer = True
    else:
        table = pa.Table.from_pandas(answers, preserve_index=False)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(probabilities.reshape(-1)), probabilities.shape[1])
        table = table.append_column("probabilities", lists)
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
if form != "csv":
    writer.close()
"""


def mixed(count: int) -> tuple[pd.DataFrame, Any]:
    """Make rows of six numbers, some missing, and two words, with a label.

    :param count: of rows.
    """
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(count, 6)).round(4), columns=[f"x{number}" for number in range(6)])
    X = X.mask(rng.random(X.shape) < 0.02)
    X["island"] = rng.choice(["Biscoe", "Dream", "Torgersen"], count)
    X["sex"] = rng.choice(["male", "female"], count)
    return X, rng.choice(["Adelie", "Chinstrap", "Gentoo"], count)


def models() -> dict[str, Any]:
    """Fit a pipeline of numbers and words, and a forest of 100 trees."""
    X, y = mixed(5000)
    numbers = [name for name in X if name.startswith("x")]
    columns = (make_pipeline(SimpleImputer(), StandardScaler()), numbers), (OneHotEncoder(), ["island", "sex"])
    forest = RandomForestClassifier(100, max_depth=10, random_state=0, n_jobs=1)
    return {
        "mixed": make_pipeline(make_column_transformer(*columns), LogisticRegression()).fit(X, y),
        "forest": make_pipeline(make_column_transformer(*columns), forest).fit(X, y),
    }


def write_tables(folder: Path, millions: float) -> int:
    """Write a table with an id as CSV and as Parquet, and return its rows."""
    block, _ = mixed(100_000)
    count, schema = max(1, round(millions * 10)), None
    with (folder / "in.csv").open("w") as text:
        writer = None
        for number in range(count):
            block["id"] = np.arange(number * len(block), (number + 1) * len(block))
            block.to_csv(text, index=False, header=number == 0)
            table = pa.Table.from_pandas(block, schema, preserve_index=False)
            schema = table.schema
            writer = writer or pq.ParquetWriter(folder / "in.parquet", schema)
            writer.write_table(table, GROUP)
        assert writer is not None
        writer.close()
    return count * len(block)


def environ(folder: Path) -> dict[str, str]:
    """Make the environment of a run: one thread a process, and compiled modules are kept, as Python does by default."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    modules = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "modules")}
    return {**os.environ, **threads, **modules}


def program(model: Path, source: Path, out: Path, workers: int) -> list[str]:
    """Make the command that scores files."""
    words = ["-o", f"{out}/", "--keep", "id", "--workers", str(workers)]
    return [str(Path(sys.executable).with_name("flyweight")), "predict", str(model), str(source), *words]


def seconds(command: list[str], folder: Path) -> float:
    """Run a command and measure its time."""
    began = perf_counter()
    subprocess.run(command, env=environ(folder), check=True, capture_output=True)
    return perf_counter() - began


def megabytes(folder: Path, name: str, form: str, files: int) -> float:
    """Measure the memory of a job of two processes over many files of the same rows: of all its processes together."""
    source, out = folder / "many", folder / "out"
    source.mkdir()
    for number in range(files):
        os.link(folder / f"in.{form}", source / f"{number}.{form}")
    done, most = peak.run(program(folder / f"{name}.safetensors", source, out, 2), env=environ(folder))
    if done.returncode or len([*out.glob(f"*.{form}")]) != files:
        raise click.ClickException(f"not all of {files} files were scored: {done.stderr[-2000:]}")
    shutil.rmtree(source)
    shutil.rmtree(out)
    return most


def measured(folder: Path, name: str, form: str) -> dict[str, Any]:
    """Measure one model on one file: each way in turn, some rounds."""
    source, out = folder / f"in.{form}", folder / "out"
    model = folder / f"{name}.safetensors"
    ways = {
        "pandas": [
            sys.executable,
            "-c",
            CHUNKS,
            str(folder / f"{name}.joblib"),
            str(source),
            str(folder / f"answers.{form}"),
            form,
        ],
        "one": program(model, source, out, 1),
        "two": program(model, source, out, 2),
    }
    for command in ways.values():  # what Python compiles and the disk reads once
        shutil.rmtree(out, ignore_errors=True)
        seconds(command, folder)
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, command in ways.items():
            shutil.rmtree(out, ignore_errors=True)
            took[way].append(seconds(command, folder))
    check(folder / f"answers.{form}", out / f"in.{form}", form)
    middle = {way: statistics.median(found) for way, found in took.items()}
    ratios = {"one_to_pandas": middle["pandas"] / middle["one"], "two_to_one": middle["one"] / middle["two"]}
    return {**{way: round(found, 2) for way, found in middle.items()}, **{one: round(ratio, 2) for one, ratio in ratios.items()}}


def check(theirs: Path, ours: Path, form: str) -> None:
    """Check that both ways wrote the same labels for the same rows."""
    read = pd.read_csv if form == "csv" else pd.read_parquet
    first, second = (read(path)[["id", "prediction"]] for path in (theirs, ours))
    assert first["id"].tolist() == second["id"].tolist()
    assert (first["prediction"].astype(str) != second["prediction"].astype(str)).sum() == 0


@click.command()
@click.option("--millions", default=1.0, show_default=True, help="Of rows in a file; at least 0.1.")
@click.option("--files", default=0, help="Measure the memory of a job over one file and over this many, and no time.")
def main(millions: float, files: int) -> None:
    """Measure, print, and write the figures of a million rows or more; see the module's docstring."""
    folder = Path(tempfile.mkdtemp(prefix="flyweight-jobs-"))
    try:
        rows = write_tables(folder, millions)
        figures: dict[str, Any] = {"rows": rows, "python": platform.python_version(), "numpy": np.__version__}
        sample, _ = mixed(200)
        for name, estimator in models().items():
            flyweight.pack(estimator, folder / f"{name}.safetensors", sample=sample, name=name, version="1.0.0")
            joblib.dump(estimator, folder / f"{name}.joblib")
            for form in ("csv", "parquet"):
                if files:
                    found: dict[str, Any] = {
                        f"{count} files": round(megabytes(folder, name, form, count)) for count in (1, files)
                    }
                else:
                    found = measured(folder, name, form)
                figures[f"{name}_{form}"] = found
                print(name, form, found, "MB" if files else "", flush=True)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(figures, indent=2))
    if millions >= 1 and not files:
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
