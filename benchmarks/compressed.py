"""What a compressed file costs that is scored over many calls: each has to pass over what is done already.

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
@click.option("--megabytes", default=400.0, show_default=True, type=click.FloatRange(min=1), help="Of plain text.")
@click.option("--seconds", default=4.0, show_default=True, type=click.FloatRange(min=1), help="Until a call has to stop.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Where the figures go.")
def main(megabytes: float, seconds: float, out: Path) -> None:
    """Measure how fast a file is passed over, and how many calls it takes plain and compressed."""
    with tempfile.TemporaryDirectory() as place:
        figures = measured(Path(place), megabytes, seconds)
    document = {"megabytes": megabytes, "seconds_a_call": seconds, "python": platform.python_version(), **figures}
    out.write_text(json.dumps(document, indent=1) + "\n")
    click.echo(json.dumps(document))


def measured(folder: Path, megabytes: float, seconds: float) -> dict[str, Any]:
    """The figures."""
    estimator, sample = fitted()
    model = folder / "model.safetensors"
    flyweight.pack(estimator, model, sample=sample, name="files", version="1.0.0")
    write_table(folder / "in.csv", megabytes, [*sample], sample.to_numpy())
    text = (folder / "in.csv").read_bytes()
    packed = {"gzip": gzip.compress(text, 6), "zstd": zstandard.compress(text)}
    passed = {f"passed_over_{kind}_mb_per_second": round(passing(data, kind)) for kind, data in packed.items()}
    (folder / "in.csv.gz").write_bytes(packed["gzip"])
    ways = {key: in_calls(model, folder, f"answers-{key}", seconds, key) for key in ("in.csv", "in.csv.gz")}
    assert len({way["sha256"] for way in ways.values()}) == 1
    return {**passed, "calls_plain": ways["in.csv"]["calls"], "calls_gzip": ways["in.csv.gz"]["calls"]}


def passing(data: bytes, kind: str) -> float:
    """Megabytes of plain text a second."""
    began = perf_counter()
    size = sum(map(len, plain(chunks(data), kind)))
    return size / 1e6 / (perf_counter() - began)


def chunks(data: bytes) -> Iterator[bytes]:
    """As a store gives them."""
    for begin in range(0, len(data), CHUNK):
        yield data[begin : begin + CHUNK]


if __name__ == "__main__":
    main()
