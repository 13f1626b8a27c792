"""Fuzz the handlers with as many bodies as a night takes: `tests/fuzz`, with bodies of up to 6 MB.

    python -m benchmarks.fuzz --count 1000000

Writes benchmarks/results/fuzz.json, and ends with status 1 if an answer was wrong, an error of the server, or late.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.progress import track

import flyweight
from benchmarks.environments import ROOT
from flyweight.toolkit.building import build
from tests import fitted
from tests.fuzz import transports

RESULTS = ROOT / "benchmarks" / "results" / "fuzz.json"
SHARES = {4096: 0.979, 65_536: 0.02, 6 << 20: 0.001}  # of the bodies, by their size; the largest is what a Lambda function gets
PART = 20_000  # bodies of one process at most
SECONDS, MEMORY = 5.0, 256 << 20  # that a body of 6 MB may take
TARGETS = ("aws", "gcp", "azure")


def parts(count: int) -> list[tuple[str, int, int, int]]:
    """Split the bodies among processes: target, first seed, number, and bytes of the largest."""
    found: list[tuple[str, int, int, int]] = []
    for target in TARGETS:
        for largest, share in SHARES.items():
            wanted = max(1, round(count * share / len(TARGETS)))
            found += [(target, first, min(PART, wanted - first), largest) for first in range(0, wanted, PART)]
    return found


def asked(folders: dict[str, Path], model: Path, part: tuple[str, int, int, int]) -> dict[str, Any]:
    """Fuzz one part in a process of its own.

    :raises RuntimeError: the process died.
    """
    target, *numbers = part
    command = [sys.executable, "-m", "tests.fuzz.run", target, str(folders[target]), str(model), *map(str, numbers)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"{part}: {ended.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return figures


def measured(count: int, processes: int) -> list[dict[str, Any]]:
    """Build the folders, and fuzz them in several processes."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        estimator, sample = fitted.penguins()
        model = place / "penguins.safetensors"
        flyweight.pack(estimator, model, sample=sample, name="penguins", version="1.0.0")
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        folders = {target: build(target, model, place / target, python=python).folder for target in TARGETS}
        waiting = parts(count)
        with ThreadPoolExecutor(processes) as pool:
            found = pool.map(lambda part: asked(folders, model, part), waiting)
            return [*track(found, total=len(waiting), description="parts of the bodies")]


def summed(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Add up the figures, by the size of the bodies."""
    sizes: dict[str, Any] = {}
    for largest in SHARES:
        own = [one for one in found if one["largest"] == largest]
        counts: dict[str, int] = {}
        for one in own:
            for status, number in one["counts"].items():
                counts[status] = counts.get(status, 0) + number
        slowest = max((one["slowest"] for one in own), key=lambda body: float(body["seconds"]))
        memory = max(one["more_memory"] for one in own)
        sizes[str(largest)] = {"bodies": sum(one["bodies"] for one in own), "counts": dict(sorted(counts.items()))}
        sizes[str(largest)] |= {"slowest": slowest, "more_memory": memory}
    faults = [fault for one in found for fault in one["shown"]]
    return {
        "bodies": sum(one["bodies"] for one in found),
        "faults": sum(one["faults"] for one in found),
        "shown": faults,
        "sizes": sizes,
    }


@click.command()
@click.option("--count", default=1_000_000, show_default=True, help="How many bodies to send.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(count: int, processes: int, out: Path) -> None:
    """Send COUNT fuzzed bodies to the three handlers, and write the figures."""
    assert all(hasattr(transports, target) for target in TARGETS)
    began = time.perf_counter()
    figures = summed(measured(count, processes))
    figures |= {"seconds": round(time.perf_counter() - began), "python": platform.python_version()}
    out.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    large = figures["sizes"][str(max(SHARES))]
    slow = large["slowest"]["seconds"] > SECONDS or large["more_memory"] > MEMORY
    click.echo(f"{figures['bodies']:,} bodies, {figures['faults']} faults; of 6 MB at most {large['slowest']['seconds']} s")
    raise SystemExit(1 if figures["faults"] or slow else 0)


if __name__ == "__main__":
    main()
