"""Score a table once by one of the ways that `batch_engines.py` compares, and print the seconds as JSON.

    python -m benchmarks.batch_worker WAY MODEL.safetensors MODEL.joblib TABLE OUT

Engines start, and the model is loaded, by scoring a few rows before the clock does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 10_000  # of a batch
ID = "id"
Way = Callable[["Case", Path, Path], None]  # scores the files of a folder into another


class Case:
    """What is scored with: the model file, and the estimator that it was made of."""

    def __init__(self, model: str, estimator: str) -> None:
        self.model, self.estimator = model, estimator

    def features(self) -> list[str]:
        """List the columns of the features."""
        import flyweight

        return [feature.name for feature in flyweight.load(self.model).signature.features]


def plain(case: Case, table: Path, out: Path) -> None:
    """Score batches with the scorer alone, in this process."""
    _files((case.model, [str(path) for path in sorted(table.glob("*.parquet"))], str(out)))


def processes(case: Case, table: Path, out: Path) -> None:
    """Score batches with the scorer alone, in two processes."""
    files = [str(path) for path in sorted(table.glob("*.parquet"))]
    [*POOL.map(_files, [(case.model, files[start::2], str(out)) for start in range(2)])]


def chunks(case: Case, table: Path, out: Path) -> None:
    """Score pandas frames with scikit-learn itself, in this process."""
    import joblib

    estimator = joblib.load(case.estimator)
    for path in sorted(table.glob("*.parquet")):
        file, writer = pq.ParquetFile(path), None
        for batch in file.iter_batches(ROWS):
            answers = pa.Table.from_pandas(_predicted(estimator, batch.to_pandas()), preserve_index=False)
            writer = writer or pq.ParquetWriter(out / path.name, answers.schema)
            writer.write_table(answers)
        if writer is not None:
            writer.close()


def predict(case: Case, table: Path, out: Path) -> None:
    """Run `flyweight predict` on the folder; its start is counted."""
    words = [case.model, str(table), "--out", str(out), "--keep", ID]
    program = "from flyweight.toolkit.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, "predict", *words], check=True, stdout=subprocess.DEVNULL)


def duckdb(case: Case, table: Path, out: Path) -> None:
    """Call the model as a function of DuckDB's SQL, in one thread."""
    import duckdb

    import flyweight

    with duckdb.connect(config={"threads": 1}) as connection:
        call = flyweight.duckdb.register(connection, case.model)
        files = f"read_parquet('{table}/*.parquet')"
        connection.execute(f"copy (select {ID}, unnest({call}) from {files}) to '{out}/out.parquet' (format parquet)").fetchall()


def polars(case: Case, table: Path, out: Path) -> None:
    """Score a lazy frame in polars' streaming engine."""
    import polars as pl

    import flyweight

    flyweight.polars.score(pl.scan_parquet(f"{table}/*.parquet"), case.model, keep=[ID]).sink_parquet(out / "out.parquet")


def spark(case: Case, table: Path, out: Path) -> None:
    """Score with Spark's mapInArrow, on two cores."""
    import flyweight

    flyweight.spark.score(_session().read.parquet(str(table)), case.model, keep=[ID]).write.parquet(str(out), mode="overwrite")


def spark_alone(case: Case, table: Path, out: Path) -> None:
    """Pass the same columns to Spark's mapInArrow, which returns the first: what Spark takes by itself, on two cores."""
    read = _session().read.parquet(str(table)).select(ID, *[f"`{name}`" for name in case.features()])
    passed = read.mapInArrow(lambda batches: (batch.select([ID]) for batch in batches), f"{ID} bigint")
    passed.write.parquet(str(out), mode="overwrite")


def spark_joblib(case: Case, table: Path, out: Path) -> None:
    """Score with scikit-learn itself in Spark's iterator pandas_udf, on two cores, as is usual without flyweight."""
    import joblib
    from pyspark.sql import functions as F

    path, names = case.estimator, case.features()
    kind = "string" if joblib.load(path).classes_.dtype.kind in "UO" else "bigint"

    def answered(frames: Any) -> Any:
        estimator = joblib.load(path)
        for frame in frames:
            yield _predicted(estimator, frame)

    read = _session().read.parquet(str(table))  # a function is made in a session
    scored = F.pandas_udf(answered, f"prediction {kind}, probabilities array<double>", F.PandasUDFType.SCALAR_ITER)
    columns = F.struct(*[F.col(f"`{name}`") for name in names])
    read.select(ID, scored(columns).alias("answer")).select(ID, "answer.*").write.parquet(str(out), mode="overwrite")


WAYS: dict[str, Way] = {
    "plain": plain,
    "processes": processes,
    "chunks": chunks,
    "predict": predict,
    "duckdb": duckdb,
    "polars": polars,
    "spark": spark,
    "spark_alone": spark_alone,
    "spark_joblib": spark_joblib,
}
POOL = ProcessPoolExecutor(2, get_context("spawn"))


def _files(task: tuple[str, list[str], str]) -> None:
    """Score files of Parquet into files of the same names."""
    import flyweight

    model, files, out = task
    score = flyweight.Scorer(model, keep=[ID])
    for path in files:
        file = pq.ParquetFile(path)
        with pq.ParquetWriter(f"{out}/{Path(path).name}", score.schema(file.schema_arrow)) as writer:
            for batch in file.iter_batches(ROWS):
                writer.write_batch(score(batch))


def _predicted(estimator: Any, frame: Any) -> Any:
    """Predict labels and probabilities as a frame."""
    import pandas as pd

    kept = {ID: frame.pop(ID)} if ID in frame else {}
    rows = frame if hasattr(estimator, "feature_names_in_") else frame.to_numpy()
    probabilities = estimator.predict_proba(rows)
    labels = estimator.classes_.take(probabilities.argmax(axis=1))  # a second pass of `predict` would double the time
    return pd.DataFrame({**kept, "prediction": labels, "probabilities": [*probabilities]})


def _session() -> Any:
    """Start Spark on two cores of this machine, or get the session that there is."""
    from pyspark.sql import SparkSession

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
    builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    return builder.config("spark.driver.memory", "2g").getOrCreate()


def fresh(folder: Path) -> Path:
    """Make an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def written(out: Path) -> int:
    """Count the rows of answers."""
    return sum(pq.ParquetFile(path).metadata.num_rows for path in out.rglob("*.parquet"))


def main() -> None:
    """Score a first file of few rows, then the table, and print the seconds and the rows of answers."""
    name, model, estimator, table, out = sys.argv[1:]
    way, case, few = WAYS[name], Case(model, estimator), fresh(Path(out, "few"))
    first = sorted(Path(table).glob("*.parquet"))[0]
    for part in range(2):
        pq.write_table(pa.Table.from_batches([next(pq.ParquetFile(first).iter_batches(1000))]), few / f"{part}.parquet")
    way(case, few, fresh(Path(out, "answers")))
    place = fresh(Path(out, "answers"))
    began = perf_counter()
    way(case, Path(table), place)
    seconds = perf_counter() - began
    print(json.dumps({"seconds": seconds, "rows": written(place)}))


if __name__ == "__main__":
    main()
