"""Score a table as a client of Spark Connect, and print as JSON whether the answers are those of the scorer itself.

python spark_connect.py sc://HOST:PORT MODEL TABLE.parquet FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import Observation, SparkSession
from spark_forms import by_id

import flyweight


def main(address: str, model: str, path: str, folder: str) -> dict[str, Any]:
    spark = SparkSession.builder.remote(address).getOrCreate()
    rows = flyweight.Scorer(model, keep=["id"])(pq.read_table(path)).to_pylist()
    birds, observation = spark.read.parquet(path).repartition(3), Observation("scored")
    found: dict[str, Any] = {"rows": len(rows)}
    answers = flyweight.spark.score(birds, model, keep=["id"], on_error="column", observation=observation)
    found["arrow"] = by_id(answers.drop("error").toArrow()).to_pylist() == rows
    answers.write.mode("overwrite").parquet(f"{folder}/observed")
    found["observed"] = observation.get
    flyweight.spark.register(spark, model, "species_of")
    birds.createOrReplaceTempView("birds")
    found["sql"] = by_id(spark.sql("select id, species_of(struct(*)) as answer from birds").toArrow()).to_pylist() == rows
    stream = spark.readStream.schema(birds.schema).parquet(str(Path(path).parent))
    stream = flyweight.spark.score(stream, model, keep=["id"]).writeStream.trigger(availableNow=True)
    query = stream.option("checkpointLocation", f"{folder}/checkpoint").format("parquet").start(f"{folder}/out")
    query.awaitTermination()
    found["stream"] = by_id(spark.read.parquet(f"{folder}/out").toArrow()).to_pylist() == rows
    spark.stop()
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
