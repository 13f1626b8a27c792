"""Score one table by each form that Spark has, and print as JSON how the answers compare with those of the scorer itself.

python spark_forms.py MODEL TABLE.parquet FOLDER
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Observation
from pyspark.sql import functions as F
from spark_session import session

import flyweight


def by_id(table: pa.Table) -> pa.Table:
    """Sort answers, with their structs as columns."""
    if "answer" in table.schema.names:
        answers = table.column("answer").combine_chunks()
        fields = [field.name for field in answers.type]
        table = pa.table({"id": table.column("id"), **dict(zip(fields, answers.flatten(), strict=True))})
    return table.sort_by("id").combine_chunks()


def text_of(failure: Exception) -> str:
    """Read the last lines of an error of a worker."""
    return str(failure)[-3000:]


def main(model: str, path: str, folder: str) -> dict[str, Any]:
    spark = session()
    own = pq.read_table(path)
    expected = flyweight.Scorer(model, keep=["id"])(own)
    rows = expected.to_pylist()
    birds = spark.read.parquet(path).repartition(5)

    def same(frame: Any) -> bool:
        return bool(by_id(frame.toArrow()).to_pylist() == rows)

    found: dict[str, Any] = {"rows": own.num_rows}
    found["arrow"] = same(flyweight.spark.score(birds, model, keep=["id"]))
    found["order of columns"] = same(flyweight.spark.score(birds.select(*reversed(birds.columns)), model, keep=["id"]))
    found["pandas"] = same(flyweight.spark.score(birds, model, keep=["id"], by="pandas"))
    found["bytes"] = same(flyweight.spark.score(birds, open(model, "rb").read(), keep=["id"]))
    found["loaded"] = same(flyweight.spark.score(birds, flyweight.load(model), keep=["id"]))
    found["store"] = same(flyweight.spark.score(birds, f"file://{model}", keep=["id"]))
    struct = F.struct(*[column for column in birds.columns if column != "id"])
    found["arrow_udf"] = same(birds.select("id", flyweight.spark.udf(spark, model)(struct).alias("answer")))
    found["pandas_udf"] = same(birds.select("id", flyweight.spark.udf(spark, model, by="pandas")(struct).alias("answer")))
    call = flyweight.spark.register(spark, model, "species_of")
    birds.createOrReplaceTempView("birds")
    found["sql"] = same(spark.sql("select id, species_of(struct(*)) as answer from birds"))
    found["sql by columns"] = same(spark.sql(f"select id, {call} as answer from birds"))
    null = spark.sql("select species_of(if(id = 0, null, struct(*))) as answer from birds where id < 2 order by id").toArrow()
    found["null struct"] = [one is None for one in null.column("answer").to_pylist()]
    outputs = flyweight.spark.score(birds, model, keep=["id"], outputs=["predictions"])
    found["outputs"] = outputs.columns
    empty = flyweight.spark.score(birds.where("id < 0"), model, keep=["id"])
    found["empty"] = [empty.count(), empty.columns]

    broken = birds.withColumn("year", F.when(F.col("id") % 10 == 0, F.lit(float("inf"))).otherwise(F.col("year")))
    observation = Observation("scored")
    told = flyweight.spark.score(broken, model, keep=["id"], on_error="column", observation=observation)
    answers = by_id(told.toArrow()).to_pylist()
    found["observed"] = observation.get
    found["reasons"] = sorted({row["error"] for row in answers if row["error"]})
    found["failed rows"] = [row["id"] for row in answers if row["error"]] == [*range(0, own.num_rows, 10)]
    found["null answers"] = all(row["prediction"] is None for row in answers if row["error"])
    found["others as before"] = all(
        row["prediction"] == whole["prediction"] for row, whole in zip(answers, rows, strict=True) if not row["error"]
    )
    for name, act in {
        "raised": lambda: flyweight.spark.score(broken, model).toArrow(),
        "missing column": lambda: flyweight.spark.score(birds.drop("sex"), model),
        "missing kept": lambda: flyweight.spark.score(birds, model, keep=["no"]),
        "missing field": lambda: birds.select(flyweight.spark.udf(spark, model)(F.struct("sex"))).toArrow(),
    }.items():
        try:
            act()
            found[name] = ""
        except Exception as failure:
            found[name] = text_of(failure)
    spark.stop()
    return found


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
