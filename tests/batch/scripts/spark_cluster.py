"""Score a table on a cluster, with a file for each attempt at a part, which waits for the file `go`, and write the answers.

python spark_cluster.py MASTER MODEL TABLE.parquet FOLDER
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from spark_session import session

import flyweight

PARTS = 12


def main(master: str, model: str, path: str, folder: str) -> None:
    spark = session(master, spark__executor__memory="512m", spark__task__maxFailures="8")

    def held(batches: Iterable[Any]) -> Iterator[Any]:
        Path(folder, f"attempt-{uuid4()}").touch()
        while not Path(folder, "go").exists():
            time.sleep(0.05)
        yield from batches

    birds = spark.read.parquet(path).repartition(PARTS)
    birds = birds.mapInArrow(held, birds.schema)
    flyweight.spark.score(birds, model, keep=["id"]).write.parquet(f"{folder}/out")
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
