"""Compare the first answer of our own HTTP server with functions-framework, with the same model and with an empty function.

    python -m benchmarks.server --rounds 11

Prints medians of fresh processes in turns: milliseconds from exec to the whole first answer, and peak memory.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

import flyweight
from benchmarks.environments import ROOT
from flyweight.toolkit.building import build
from flyweight.toolkit.events import instances
from flyweight.toolkit.running import runtime
from tests import fitted
from tests.services.web import free_port

EMPTY = 'def predict(request):\n    return "{}", 200, {}\n'
REQUEST = {"method": "POST", "path": "/predict", "headers": {"content-type": "application/json"}}
Figures = tuple[float, float]  # milliseconds, and MB


def framework(folder: Path, body: str) -> Figures:
    """Start functions-framework, and ask once."""
    with runtime("gcp")(folder) as function:
        answer = function.invoke({**REQUEST, "body": body})
        assert answer.status == 200, answer
        return 1000 * answer.seconds, (function.peak_memory() or 0) / 1e6


def server(folder: Path, body: str) -> Figures:
    """Start our own server, and ask once."""
    port, began = free_port(), time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "server_main.py"], cwd=folder, env={**os.environ, "PORT": str(port)}, stdout=subprocess.DEVNULL
    ) as process:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.001)
        connection.request("POST", "/predict", body, REQUEST["headers"])  # type: ignore[arg-type]
        status = connection.getresponse()
        assert status.read() and status.status == 200
        seconds = time.perf_counter() - began
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        process.terminate()
    return 1000 * seconds, int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3


@click.command()
@click.option("--rounds", default=11, show_default=True)
def main(rounds: int) -> None:
    """Measure the three in ROUNDS turns, and print the medians beside those of the empty function."""
    with tempfile.TemporaryDirectory() as name:
        place, python = Path(name), f"{sys.version_info.major}.{sys.version_info.minor}"
        estimator, sample = fitted.penguins()
        packed = flyweight.pack(estimator, place / "model.safetensors", sample=sample, name="penguins")
        assert packed.path is not None
        body = instances.body(flyweight.load(str(packed.path)).file.document)
        (place / "empty").mkdir()
        (place / "empty" / "main.py").write_text(EMPTY)
        own = build("gcp", packed.path, place / "own", python=python, handler=ROOT / "handlers" / "server").folder
        theirs = build("gcp", packed.path, place / "theirs", python=python).folder
        ways = {"empty": (framework, place / "empty"), "functions-framework": (framework, theirs), "our server": (server, own)}
        found: dict[str, list[Figures]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, (ask, folder) in ways.items():
                found[way].append(ask(folder, body))
    medians = {way: [statistics.median(column) for column in zip(*figures, strict=True)] for way, figures in found.items()}
    floor = medians["empty"]
    report = {
        way: {
            "ms": round(ms, 1),
            "of_empty": round(ms / floor[0], 3),
            "MB": round(mb, 1),
            "memory_of_empty": round(mb / floor[1], 2),
        }
        for way, (ms, mb) in medians.items()
    }
    click.echo(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
