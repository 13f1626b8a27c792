"""Pipe lines through the mapper's file under Spark's JVM: MAPPER ROWS, answers on standard output."""

import sys

from pyspark.sql import SparkSession

mapper, rows, *options = sys.argv[1:]
builder = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1").config("spark.ui.enabled", "false")
session = builder.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()
lines = session.sparkContext.textFile(rows, 4)
# without checkCode, a mapper that fails loses its rows without any error
for line in lines.pipe(" ".join([sys.executable, mapper, "--key", "id", *options]), checkCode=True).collect():
    print(line)
