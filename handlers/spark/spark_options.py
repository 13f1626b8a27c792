"""The command line of the jobs: where rows come from, how they are scored, where answers go."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from typing import Any

MODEL, ADDRESS = "model.safetensors", "model.address"  # in a built folder one of the two
TYPES = {"number": "double", "boolean": "boolean", "string": "string"}  # of a feature
TEXTS = ("csv", "json")  # formats whose values get the types of the features


def parser(about: str) -> argparse.ArgumentParser:
    """Make the parser of what both jobs take."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--input", required=True, help="The path of the table.")
    made.add_argument("--output", required=True, help="The path for the answers.")
    made.add_argument("--format", default="parquet", help="Of the table, by Spark's name: parquet, csv, json, orc, delta...")
    made.add_argument("--output-format", default="", help="Of the answers.  [default: that of the table]")
    made.add_argument("--model", default="", help="A model file or an address in a store.  [default: the one of this build]")
    made.add_argument("--keep", default="", help="Columns that the answers begin with, separated by commas.")
    made.add_argument("--outputs", default="", help="The model's outputs, separated by commas.  [default: the usual ones]")
    made.add_argument("--on-error", default="column", choices=("column", "raise"), help="What happens to rows that fail.")
    made.add_argument("--partitions", type=int, default=0, help="The number of parts to score.  [default: as they are read]")
    return made


def words(given: list[str]) -> list[str]:
    """Split the words of the command line where a service passes all of them as one."""
    return shlex.split(given[0]) if len(given) == 1 and " " in given[0] else given


def listed(text: str) -> list[str]:
    """Split names at commas."""
    return [name for name in text.split(",") if name]


def model_of(given: str) -> str:
    """Find the model: the one that was given, or the one beside this file, in the working directory, or sent by `--files`.

    :raises FileNotFoundError: none exists.
    """
    from pyspark import SparkFiles

    if given:
        return given
    places = [os.path.dirname(os.path.abspath(__file__)), os.getcwd(), SparkFiles.getRootDirectory()]
    for folder in places:
        if os.path.isfile(path := os.path.join(folder, ADDRESS)):
            with open(path, encoding="utf-8") as file:
                return file.read().strip()
        if os.path.isfile(path := os.path.join(folder, MODEL)):
            return path
    raise FileNotFoundError(f"there is no {MODEL} in {', '.join(places)}: add --model, or spark-submit's --files {MODEL}")


def schema(session: Any, options: argparse.Namespace, model: str) -> Any:
    """Read the schema of the table; in CSV and JSON, which have no types, features get theirs from the model."""
    from pyspark.sql.types import StructField, StructType

    from flyweight.arrow import loading

    reader = session.read.format(options.format)
    if options.format not in TEXTS:
        return reader.load(options.input).schema
    kinds = {feature.name: feature for feature in loading.load(model).signature.features}
    found = reader.option("header", True).option("inferSchema", True).load(options.input).schema
    fields = []
    for field in found:
        feature = kinds.get(field.name)
        kind = "" if feature is None else TYPES.get(feature.kind, "")
        if feature is not None and feature.kind == "datetime":
            kind = "timestamp" if feature.zone == "UTC" else "timestamp_ntz"
        fields.append(StructField(field.name, StructType.fromDDL(f"x {kind}")["x"].dataType) if kind else field)
    return StructType(fields)


def reading(reader: Any, options: argparse.Namespace, kinds: Any) -> Any:
    """Tell a reader, of tables or of streams, the format and the schema.

    CSV is matched with the schema by position, unless `enforceSchema` is false: then a file with other columns is refused.
    """
    return reader.format(options.format).option("header", True).option("enforceSchema", False).schema(kinds)


def scored(frame: Any, options: argparse.Namespace, model: str, observation: Any) -> Any:
    """Score a data frame as the options say."""
    import flyweight

    if options.partitions:
        frame = frame.repartition(options.partitions)
    names = listed(options.outputs) or None
    return flyweight.spark.score(
        frame, model, keep=listed(options.keep), outputs=names, on_error=options.on_error, observation=observation
    )


def report(**figures: Any) -> None:
    """Print one line of JSON to the log."""
    print(json.dumps({"log": "flyweight", **figures}), flush=True)
