"""Measure the agent at the edge beside an empty Python process, and what asking the cloud for unsure instances gains.

python -m benchmarks.edge
python -m benchmarks.edge --hours 72
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import click
import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flyweight
from benchmarks.edge_days import checked
from flyweight.toolkit.building import build
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.resources import folder
from flyweight.toolkit.targets.http_runtime import free_port

EMPTY = "import time; print(flush=True); time.sleep(60)"
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
MOST_MIB, MOST_MS = 30.0, 100.0  # of issue 20


@click.command()
@click.option("--rounds", default=9, show_default=True, type=click.IntRange(1), help="Fresh processes of each kind.")
@click.option("--requests", default=2000, show_default=True, type=click.IntRange(1), help="Answers before memory is read again.")
@click.option("--hours", type=click.IntRange(6), help="Only simulate so many hours of one agent, and print what grows.")
def main(rounds: int, requests: int, hours: int | None) -> None:
    """Print the start, the memory and the speed of the agent, and the share of instances that the cloud is asked for."""
    console = Console(width=max(Console().width, 120))
    with tempfile.TemporaryDirectory() as place:
        if hours:
            console.print(checked(hours, Path(place)))
            return
        console.print(measured(Path(place), rounds, requests))
        console.print(hybrid())


def fitted() -> tuple[Any, Any, Any, Any, Any]:
    """Fit a small model for the edge and a large one for the cloud, on images of digits.

    :returns: both estimators, the rows and labels that neither has seen, and rows for a sample.
    """
    images, labels = load_digits(return_X_y=True)
    known, unseen, known_labels, unseen_labels = train_test_split(images, labels, test_size=0.5, random_state=0)
    few = [*range(2, 64, 3)]  # pixels that a cheap sensor could send alone
    mask = np.zeros(64)
    mask[few] = 1.0
    small = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(known * mask, known_labels)
    large = RandomForestClassifier(200, random_state=0).fit(known, known_labels)
    return small, large, unseen, unseen_labels, mask


def hybrid() -> Table:
    """Compare the accuracy of the edge alone, of both, and of the cloud alone, by threshold."""
    from edge_cloud import Cloud
    from server_http import Message

    from flyweight.values import Response

    small, large, rows, labels, mask = fitted()
    table = Table(title="digits: a small model at the edge, a forest of 200 trees in the cloud", box=box.SIMPLE)
    for name in ("confidence", "asked of the cloud", "right", "more than the edge alone"):
        table.add_column(name, justify="right")
    alone = float(np.mean(small.predict(rows * mask) == labels))
    with cloud_of(large) as url:
        for confidence in THRESHOLDS:
            cloud = Cloud(url, confidence, 60.0, "", perf_counter)
            message = Message("POST", "/predict", {"content-type": "application/json"})
            message.body = json.dumps({"instances": rows.tolist()}).encode()
            chances = small.predict_proba(rows * mask)
            document = {"predictions": small.classes_[chances.argmax(1)].tolist(), "probabilities": chances.tolist()}
            document["classes"] = small.classes_.tolist()
            answer = cloud.improve(message, Response(200, {"content-type": "application/json"}, json.dumps(document).encode()))
            right = float(np.mean(np.array(json.loads(answer.body)["predictions"]) == labels))
            table.add_row(f"{confidence:g}", f"{cloud.answered / len(rows):.1%}", f"{right:.1%}", f"{right - alone:+.1%}")
    table.add_row(
        "cloud alone", "100.0%", f"{(right := float(np.mean(large.predict(rows) == labels))):.1%}", f"{right - alone:+.1%}"
    )
    return table


@contextmanager
def cloud_of(estimator: Any) -> Iterator[str]:
    """Serve a model as an endpoint on this machine."""

    class Endpoint(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            rows = json.loads(self.rfile.read(int(self.headers["content-length"])))["instances"]
            chances = estimator.predict_proba(np.array(rows))
            document = {"predictions": estimator.classes_[chances.argmax(1)].tolist(), "probabilities": chances.tolist()}
            body = json.dumps({**document, "classes": estimator.classes_.tolist(), "model": {"name": "large"}}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/predict"
    server.shutdown()
    server.server_close()


def measured(place: Path, rounds: int, requests: int) -> Table:
    """Measure fresh processes in turn: an empty Python and the agent."""
    from tests import fitted as samples

    estimator, sample = samples.penguins()
    flyweight.pack(estimator, place / "penguins.safetensors", sample=sample, name="penguins", version="1.0.0")
    made = build("edge", place / "penguins.safetensors", place / "built", python=version_of(sys.executable)).folder
    body = json.dumps(sample.astype(object).where(sample.notna(), None).values.tolist()[:1]).encode()
    figures: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    for turn in range(rounds + 1):
        found: dict[str, float] = {}
        with started([sys.executable, "-c", EMPTY], made, place) as (process, began):
            assert process.stdout is not None
            process.stdout.readline()
            found["empty, ms"], found["empty, MiB"] = 1000 * (perf_counter() - began), resident(process.pid)
        port = free_port()
        environ = {"FLYWEIGHT_PORT": str(port), "FLYWEIGHT_EDGE_STATE": str(place / f"state{turn}")}
        environ["FLYWEIGHT_EDGE_FORWARD"] = f"file://{place}/cloud"
        with started([sys.executable, "edge_main.py"], made, place, **environ) as (process, began):
            connection = connected(port, process)
            answered(connection, body)
            found["agent, ms"], found["agent, MiB"] = 1000 * (perf_counter() - began), resident(process.pid)
            if turn == rounds:  # once: it takes long
                before = perf_counter()
                for _ in range(requests):
                    answered(connection, body)
                note(f"answer that is on the disk, us, over {requests}", 1e6 * (perf_counter() - before) / requests)
                sleep(15)  # so that it forwards
                note(f"agent after {requests} answers that were forwarded, MiB", resident(process.pid))
            connection.close()
        if turn:  # the first one reads the files from the disk
            for name, value in found.items():
                note(name, value)
    return shown(figures)


def shown(figures: dict[str, list[float]]) -> Table:
    """Show the middle of each figure, the ratio to the empty process, and the bound."""
    middle = {name: statistics.median(values) for name, values in figures.items()}
    table = Table(title="the agent and an empty Python process; the middle of all rounds", box=box.SIMPLE)
    for name in ("", "measured", "x empty", "bound"):
        table.add_column(name, justify="right" if name else "left")
    bounds = {"agent, ms": MOST_MS, "agent, MiB": MOST_MIB}
    for name, value in middle.items():
        empty = middle.get(f"empty, {name.rpartition(' ')[2]}", 0.0) if name.startswith("agent") else 0.0
        bound = next(
            (f"{bounds[one]:g}" for one in bounds if name.startswith("agent") and name.endswith(one[-3:].strip(", "))), ""
        )
        table.add_row(name, f"{value:.1f}", f"{value / empty:.2f}" if empty else "", bound)
    return table


@contextmanager
def started(words: list[str], folder: Path, place: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Start a process, and end it afterwards."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    began = perf_counter()
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            words, cwd=folder, env={**kept, **environ}, stdout=subprocess.PIPE if not environ else log, stderr=log
        )
    try:
        yield process, began
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        if state := environ.get("FLYWEIGHT_EDGE_STATE"):
            shutil.rmtree(state, ignore_errors=True)


def connected(port: int, process: subprocess.Popen[bytes]) -> http.client.HTTPConnection:
    """Connect to a process that is about to listen."""
    while process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            connection.close()
            sleep(0.0005)
    raise click.ClickException(f"the agent ended with status {process.returncode}")


def answered(connection: http.client.HTTPConnection, body: bytes) -> None:
    """Send a request, and read its answer, which must be on the disk."""
    connection.request("POST", "/predict", body, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200 or not answer.headers["x-flyweight-sequence"].isdecimal():
        raise click.ClickException(f"the agent answered {answer.status}")


def resident(process: int) -> float:
    """Read the memory of a process, in MiB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    sys.path[:0] = [str(folder("handlers") / name) for name in ("server", "edge")]
    main()
