"""Measure the scoring of a compressed file over many calls; each call skips what is done already.

python -m benchmarks.compressed
"""

from __future__ import annotations

import gzip
import json
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import click
import zstandard

import flyweight
from benchmarks.files import fitted, in_calls, write_table
from flyweight.formats.compression import plain

RESULTS = Path(__file__).parent / "results" / "compressed.json"
CHUNK = 1 << 20  # bytes


@click.command()
@click.option("--megabytes", default=400.0, show_default=True, type=click.FloatRange(min=1), help="Megabytes of plain text.")
@click.option("--seconds", default=4.0, show_default=True, type=click.FloatRange(min=1), help="Seconds until a call has to stop.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="The file to write the figures to.")
def main(megabytes: float, seconds: float, out: Path) -> None:
    """Measure how fast a file is skipped, and how many calls it takes plain and compressed."""
    with tempfile.TemporaryDirectory() as place:
        figures = measured(Path(place), megabytes, seconds)
    document = {"megabytes": megabytes, "seconds_a_call": seconds, "python": platform.python_version(), **figures}
    out.write_text(json.dumps(document, indent=1) + "\n")
    click.echo(json.dumps(document))


def measured(folder: Path, megabytes: float, seconds: float) -> dict[str, Any]:
    """Measure the figures."""
    estimator, sample = fitted()
    model = folder / "model.safetensors"
    flyweight.pack(estimator, model, sample=sample, name="files", version="1.0.0")
    write_table(folder / "in.csv", megabytes, [*sample], sample.to_numpy())
    text = (folder / "in.csv").read_bytes()
    packed = {"gzip": gzip.compress(text, 6), "zstd": zstandard.compress(text)}
    skipping = {f"skipped_{kind}_mb_per_second": round(passing(data, kind)) for kind, data in packed.items()}
    (folder / "in.csv.gz").write_bytes(packed["gzip"])
    ways = {key: in_calls(model, folder, f"answers-{key}", seconds, key) for key in ("in.csv", "in.csv.gz")}
    assert len({way["sha256"] for way in ways.values()}) == 1
    return {**skipping, "calls_plain": ways["in.csv"]["calls"], "calls_gzip": ways["in.csv.gz"]["calls"]}


def passing(data: bytes, kind: str) -> float:
    """Measure the megabytes of plain text that are skipped in a second."""
    began = perf_counter()
    size = sum(map(len, plain(chunks(data), kind)))
    return size / 1e6 / (perf_counter() - began)


def chunks(data: bytes) -> Iterator[bytes]:
    """Read a file in chunks, as a store does."""
    for begin in range(0, len(data), CHUNK):
        yield data[begin : begin + CHUNK]


if __name__ == "__main__":
    main()
