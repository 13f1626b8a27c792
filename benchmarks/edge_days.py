"""Let the agent live for simulated days, and look at what grows.

A request comes every minute of the agent's clock. The line is cut for an hour of every three, and a new version of the model is
promoted every six hours. The agent is a process of its own: its files, its downloads and what it forwards by HTTP are real.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table

import flyweight
from benchmarks.environments import ROOT
from flyweight.toolkit.building import build
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.publishing import registry

STORE_BYTES = 1 << 20  # which the answers of a day fill
EVERY = 6  # hours between two readings, and between two versions of the model
MIB = 1 << 20


@dataclass
class Days:
    """What was seen: the answers that were promised and those that arrived, by sequence number, and a reading every six hours."""

    told: list[int] = field(default_factory=list)
    arrived: Counter[int] = field(default_factory=Counter)
    readings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Answers with a number that did not arrive."""
        return sum(not self.arrived[sequence] for sequence in self.told)

    @property
    def twice(self) -> int:
        """Answers that arrived more than once."""
        return sum(count > 1 for count in self.arrived.values())


class Line:
    """An endpoint that takes batches of answers, and the registry's folder, both of which a cut makes unreachable."""

    def __init__(self, models: Path) -> None:
        self.arrived: dict[str, list[int]] = {}  # by the name of a batch
        self.models, self.is_cut = models, False
        line = self

        class Endpoint(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if line.is_cut:
                    return  # the connection ends without an answer
                if name := self.headers["idempotency-key"]:
                    line.arrived.setdefault(name, [json.loads(own)["sequence"] for own in body.splitlines()])
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def cut(self, is_cut: bool) -> None:
        """Cut the line, or mend it."""
        if is_cut != self.is_cut:
            away = self.models.with_suffix(".away")
            (self.models if is_cut else away).rename(away if is_cut else self.models)
            self.is_cut = is_cut


@contextmanager
def line_to(models: Path) -> Iterator[Line]:
    """Open a line, and close it afterwards."""
    line = Line(models)
    yield line
    line.server.shutdown()
    line.server.server_close()


def lived(hours: int, place: Path) -> Days:
    """Let an agent live for some hours, of which the last one has a line.

    :param place: an empty folder.
    """
    from tests import fitted as samples

    estimator, sample = samples.penguins()
    models, days = place / "models", Days()
    body = json.dumps(sample.astype(object).where(sample.notna(), None).values.tolist()[:1]).encode() + b"\n"

    def promote(number: int) -> Path:
        path = place / "penguins.safetensors"
        flyweight.pack(estimator, path, sample=sample, name="penguins", version=f"{number}.0.0", edge_count=20)
        registry.at(f"file://{models}").push(path, ["prod"])
        return path

    folder = build("edge", promote(1), place / "built", python=version_of(sys.executable)).folder
    with line_to(models) as line, started(folder, place, line) as process:
        assert process.stdin is not None and process.stdout is not None
        for minute in range(60 * hours):
            line.cut(minute // 60 % 3 == 1 and minute // 60 != hours - 1)
            if minute % (60 * EVERY) == 60 * EVERY // 2:  # while the line is there
                promote(2 + minute // (60 * EVERY))
            process.stdin.write(body)
            process.stdin.flush()
            told = json.loads(process.stdout.readline())
            days.told += [int(told["sequence"])] if told["sequence"].isdecimal() else []
            if minute % (60 * EVERY) == 60 * EVERY - 1:
                days.readings.append({"hour": (minute + 1) // 60, "answers": minute + 1, **told})
        days.arrived.update(sequence for batch in line.arrived.values() for sequence in batch)
    return days


@contextmanager
def started(folder: Path, place: Path, line: Line) -> Iterator[subprocess.Popen[bytes]]:
    """Start the agent, and end it afterwards."""
    settings = {"STATE": place / "state", "MODEL": f"file://{line.models}/penguins@prod", "STORE_BYTES": STORE_BYTES}
    settings |= {"FORWARD": f"http://127.0.0.1:{line.server.server_port}/answers", "DEVICE": "pi"}
    environ = {f"FLYWEIGHT_EDGE_{name}": str(value) for name, value in settings.items()}
    words = [sys.executable, "-E", "-S", str(ROOT / "benchmarks" / "edge_worker.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=folder, env=environ, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def shown(days: Days) -> Table:
    """Show each reading, and what was lost or came twice."""
    last = days.readings[-1]
    title = f"{last['hour']} hours: {len(days.told)} answers kept, {days.lost} lost, {days.twice} forwarded twice"
    table = Table(title=title, box=box.SIMPLE)
    for name in ("hour", "answers", "resident, MiB", "files", "files, MiB", "model"):
        table.add_column(name, justify="right")
    for own in days.readings:
        cells = (f"{own['resident'] / MIB:.2f}", str(own["files"]), f"{own['bytes'] / MIB:.2f}", own["model"])
        table.add_row(str(own["hour"]), str(own["answers"]), *cells)
    return table


def checked(hours: int, place: Path) -> Table:
    """Live for some hours, and show what was seen.

    :raises ClickException: an answer was lost, or forwarded twice.
    """
    days = lived(hours, place)
    if days.lost or days.twice:
        raise click.ClickException(f"{days.lost} answers were lost, and {days.twice} forwarded twice")
    return shown(days)
