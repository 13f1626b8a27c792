"""Score one table by Dask, and print as JSON how the answers compare with those of the scorer itself.

python dask_score.py MODEL TABLE.parquet FOLDER
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from dask.distributed import Client, LocalCluster

import flyweight
from flyweight.errors import InvalidInput


def listed(frame: Any) -> list[dict[str, Any]]:
    """List the rows of a frame of pandas."""
    return pa.Table.from_pandas(frame, preserve_index=False).to_pylist()


def killed(frame: pd.DataFrame, folder: str) -> pd.DataFrame:
    """Kill the worker's process at the partition with a certain row, once."""
    mark = Path(folder, "killed")
    if 100 in frame["id"].tolist() and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return frame


def main(model: str, path: str, folder: str) -> dict[str, Any]:
    own = pq.read_table(path)
    frame = own.to_pandas()
    rows = flyweight.Scorer(model, keep=["id"])(own).to_pylist()
    birds = dd.from_pandas(frame, npartitions=7)
    found: dict[str, Any] = {"rows": len(frame)}

    scored = flyweight.dask.score(birds, model, keep=["id"])
    with dask.config.set(scheduler="threads"):
        answers = scored.compute()
        found["threads"], found["index"] = listed(answers) == rows, answers.index.equals(frame.index)
        found["types"] = [str(kind) for kind in scored.dtypes]
        found["types as told"] = list(answers.dtypes) == list(scored.dtypes)
        part = birds[birds["id"] < 60]  # later partitions are empty
        found["empty partitions"] = listed(flyweight.dask.score(part, model, keep=["id"]).compute()) == rows[:60]
        counted = scored.groupby("prediction").size().compute()
        found["counted"] = int(counted.sum())
        scored.to_parquet(folder + "/scored")
        found["written"] = (
            pq.read_table(folder + "/scored").sort_by("id").select(["id", "prediction", "probabilities"]).to_pylist() == rows
        )
        broken = birds.assign(year=birds["year"].astype(float).where(birds["id"] % 16 != 0, float("inf")))
        told = listed(flyweight.dask.score(broken, model, keep=["id"], on_error="column").compute())
        found["failed ids"] = [row["id"] for row in told if row["error"]]
        found["others as before"] = all(row["error"] or row.items() >= own.items() for row, own in zip(told, rows, strict=True))
        try:
            flyweight.dask.score(birds.drop(columns=["sex"]), model)
        except InvalidInput as error:
            found["missing column"] = str(error)
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, local_directory=folder
        ) as cluster,
        Client(cluster),
    ):
        found["processes"] = listed(flyweight.dask.score(birds, Path(model).read_bytes(), keep=["id"]).compute()) == rows
        try:
            flyweight.dask.score(broken, model).compute()
        except InvalidInput as error:
            found["raised"] = str(error)
        survived = birds.map_partitions(killed, folder, meta=frame.iloc[:0])
        found["killed"] = (
            listed(flyweight.dask.score(survived, model, keep=["id"]).compute()) == rows and Path(folder, "killed").exists()
        )
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
