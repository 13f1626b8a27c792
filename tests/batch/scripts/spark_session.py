"""A session of Spark for the scripts here: small, on this machine alone."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.update(PYSPARK_PYTHON=sys.executable, PYSPARK_DRIVER_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.executorEnv.OMP_NUM_THREADS": "1",
    "spark.sql.shuffle.partitions": "2",
    "spark.log.level": "ERROR",
}


def session(master: str = "local[2]", **settings: str) -> Any:
    """Start a session; `settings` have `__` for the dots in their names."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("flyweight")
    for name, value in {**SETTINGS, **{name.replace("__", "."): value for name, value in settings.items()}}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
