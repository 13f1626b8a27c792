"""Measure requests while a new version is pushed to the store: time windows with and without a swap, in real runtimes."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

from benchmarks.cold_stores import BUCKET, s3
from benchmarks.environments import ROOT
from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.publishing import registry
from flyweight.toolkit.running import runtime

RESULTS = ROOT / "benchmarks" / "results" / "swap.json"
TTL = 1.0
Window = list[float]


@click.command()
@click.option("--windows", default=6, show_default=True, help="Windows with a swap, and as many without, in turns.")
@click.option("--seconds", default=3.0, show_default=True, help="The length of a window.")
@click.option("--provider", "providers", multiple=True, default=("aws", "gcp"), show_default=True)
def main(windows: int, seconds: float, providers: tuple[str, ...]) -> None:
    """Measure, write the figures and show them."""
    with tempfile.TemporaryDirectory() as name, s3() as endpoint:
        place = Path(name)
        os.environ.update(endpoint)
        files, sample = made(place, windows)
        found = {provider: measured(provider, place, files, sample, windows, seconds) for provider in providers}
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 2)}
    document = {"machine": machine, "ttl_seconds": TTL, "window_seconds": seconds, "providers": found}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    show(document)


def made(place: Path, count: int) -> tuple[list[Path], list[float]]:
    """Make `count` + 1 versions of a forest of half a megabyte, and a row."""
    X, y = make_classification(4000, 20, n_informative=8, random_state=0)
    files = []
    for number in range(count + 1):
        files.append(place / f"{number}.safetensors")
        estimator = RandomForestClassifier(100, random_state=number).fit(X, y)
        pack(estimator, files[-1], sample=X[:50], name="m", version=f"{number}.0", engine="pure", edge_count=10)
    return files, X[0].tolist()


def measured(provider: str, place: Path, files: list[Path], sample: list[float], windows: int, seconds: float) -> dict[str, Any]:
    """Measure the percentiles of both kinds of windows; every request must be answered, in the end by the new version."""
    root = f"s3://{BUCKET}/{provider}"
    there = registry.at(root)
    there.push(files[0], ["prod"])
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = build(provider, f"{root}/m@prod", place / provider, python=python).folder
    environ = {"FLYWEIGHT_TTL_SECONDS": str(TTL), "FLYWEIGHT_CACHE_DIR": str(place / f"disk-{provider}")}
    event = samples.predicting(provider, [sample])
    steady: list[Window] = []
    swapped: list[Window] = []
    with runtime(provider)(folder, environ=environ) as process:
        window(process, event, seconds)
        for number in track(range(windows), description=provider, transient=True):
            steady.append(window(process, event, seconds))
            there.push(files[number + 1], ["prod"])
            swapped.append(window(process, event, seconds))
            answer = process.invoke(event)
            if answer.headers["x-flyweight-model"] != f"m/{number + 1}.0":
                raise click.ClickException(
                    f"after {seconds} s {answer.headers['x-flyweight-model']} answers, not version {number + 1}"
                )
    return {"steady": told(steady), "with a swap": told(swapped)}


def window(process: Any, event: Any, seconds: float) -> Window:
    """Send requests one after the other, and measure the seconds of each."""
    taken = []
    ends = perf_counter() + seconds
    while perf_counter() < ends:
        answer = process.invoke(event)
        if answer.status != 200:
            raise click.ClickException(f"answered {answer.status}: {answer.body.decode()[:500]}")
        taken.append(answer.seconds)
    return taken


def told(windows: list[Window]) -> dict[str, Any]:
    """Compute percentiles in milliseconds, over all windows of a kind."""
    taken = [seconds for window in windows for seconds in window]
    cuts = quantiles(taken, n=1000, method="inclusive")
    parts = {"p50_ms": cuts[499], "p99_ms": cuts[989], "p99.9_ms": cuts[998], "max_ms": max(taken)}
    return {"requests": len(taken), **{name: round(1000 * value, 3) for name, value in parts.items()}}


def show(document: dict[str, Any]) -> None:
    """Show the figures as a table."""
    table = Table(title=f"windows of {document['window_seconds']:g} s, a time to live of {TTL:g} s")
    for column in ("runtime", "window", "requests", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "p99 against steady"):
        table.add_column(column, justify="left" if column in ("runtime", "window") else "right")
    for provider, kinds in document["providers"].items():
        for kind, row in kinds.items():
            ratio = row["p99_ms"] / kinds["steady"]["p99_ms"]
            figures = [f"{row[key]:.2f}" for key in ("p50_ms", "p99_ms", "p99.9_ms", "max_ms")]
            table.add_row(provider, kind, f"{row['requests']:,}", *figures, f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
