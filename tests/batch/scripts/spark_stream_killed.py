"""Score a stream of files; with `kill`, this process and its JVM end after a batch is written and before Spark has noted so.

python spark_stream_killed.py MODEL INPUT FOLDER [kill]
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from spark_session import session

import flyweight


def main(model: str, place: str, folder: str, kill: str = "") -> None:
    spark = session()
    schema = spark.read.parquet(place).schema
    birds = spark.readStream.schema(schema).option("maxFilesPerTrigger", 1).parquet(place)
    answers = flyweight.spark.score(birds, model, keep=["id"], observation="scored")
    write = flyweight.spark.into(f"{folder}/out")

    def written(frame: Any, batch: int) -> None:
        write(frame, batch)
        if kill and batch == 1:
            os.killpg(0, signal.SIGKILL)

    query = answers.writeStream.option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True)
    query = query.foreachBatch(written).start()
    query.awaitTermination()
    print([progress.observedMetrics["scored"].asDict() for progress in query.recentProgress if progress.numInputRows])


if __name__ == "__main__":
    main(*sys.argv[1:])
