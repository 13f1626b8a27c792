"""Score one table by Beam, and print as JSON how the answers compare with those of the scorer itself.

    python beam_score.py MODEL TABLE.parquet FOLDER [PRISM]

With the path of Prism it runs the pipelines on that, else on the runner that is part of the package.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.ml.inference.base import KeyedModelHandler, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.portability.prism_runner import PrismRunner

import flyweight


def batches_of(path: str) -> Any:
    """Read a file's record batches: the file itself does not travel."""
    return pq.ParquetFile(path).iter_batches(64)


def written(elements: Any, path: str) -> Any:
    """Write what a pipeline gives as lines of JSON, so that any runner can give it back."""
    lines = elements | f"as lines {path}" >> beam.Map(json.dumps)
    return lines | f"to {path}" >> beam.io.WriteToText(path, num_shards=1, shard_name_template="")


def main(model: str, path: str, folder: str, prism: str = "") -> dict[str, Any]:
    own = pq.read_table(path)
    rows = flyweight.Scorer(model, keep=["id"])(own).to_pylist()
    dicts = own.to_pylist()
    broken = [
        {**row, **{7: {"year": float("inf")}, 20: {"year": "often"}, 33: {"island": 5}}.get(row["id"], {})} for row in dicts
    ]
    for row in broken[50:51]:
        del row["sex"]
    options = PipelineOptions(["--environment_type=LOOPBACK", f"--prism_location={prism}"] if prism else [])
    runner = PrismRunner() if prism else FnApiRunner()
    with beam.Pipeline(runner=runner, options=options) as pipeline:
        batches = pipeline | "paths" >> beam.Create([path]) | beam.FlatMap(batches_of)
        scored = batches | "batches" >> RunInference(flyweight.beam.Batches(model, keep=["id"]))
        written(scored | "to rows" >> beam.FlatMap(pa.RecordBatch.to_pylist), f"{folder}/batches")
        given = pipeline | "dicts" >> beam.Create(dicts)
        written(given | "rows" >> RunInference(flyweight.beam.Rows(model, keep=["id"])), f"{folder}/rows")
        told = pipeline | "broken" >> beam.Create(broken)
        written(told | "told" >> RunInference(flyweight.beam.Rows(model, keep=["id"], min_batch_size=100)), f"{folder}/told")
        keyed = pipeline | "keyed" >> beam.Create([(f"bird {row['id']}", row) for row in dicts])
        handler = KeyedModelHandler(flyweight.beam.Rows(open(model, "rb").read(), outputs=["predictions"]))
        written(keyed | "by key" >> RunInference(handler), f"{folder}/keyed")
        none = pipeline | "none" >> beam.Create([], reshuffle=False)
        written(none | "no rows" >> RunInference(flyweight.beam.Rows(model)), f"{folder}/empty")

    def read(name: str) -> list[Any]:
        return [json.loads(line) for line in open(f"{folder}/{name}")]

    def plain(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name != "error"} for row in sorted(found, key=lambda row: row["id"])
        ]

    answers = sorted(read("told"), key=lambda row: row["id"])
    return {
        "rows": len(rows),
        "batches": plain(read("batches")) == rows,
        "dicts": plain(read("rows")) == rows,
        "errors of sound rows": [row["error"] for row in read("batches") + read("rows") if row["error"]],
        "failed": {row["id"]: row["error"] for row in answers if row["error"]},
        "others as before": all(row["error"] or row.items() >= own.items() for row, own in zip(answers, rows, strict=True)),
        "keyed": {key: answer["prediction"] for key, answer in read("keyed")}
        == {f"bird {row['id']}": row["prediction"] for row in rows},
        "empty": read("empty"),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
