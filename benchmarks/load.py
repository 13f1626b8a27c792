"""Load our own HTTP server, and FastAPI on uvicorn with the same predictor, with keep-alive connections.

    .ci/install-wrk
    python -m benchmarks.load --rounds 7

Each server has one core, and wrk, which makes the load, another. The servers take turns in fresh processes. The figures are
medians of the rounds: the first answer after the start of the process and the processor time to it, requests a second,
percentiles, requests a second of processor time, which other work on the machine changes least, and peak memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

import flyweight
from benchmarks.environments import ROOT, python_in, versions
from benchmarks.models import MODELS
from flyweight.toolkit.building import build
from tests.services.web import free_port

WRK = ROOT / ".tools" / "wrk" / "wrk"
RESULTS = ROOT / "benchmarks" / "results" / "load.json"
CONSTRAINTS = ROOT / "constraints-fastapi.txt"
FASTAPI = ["fastapi", "uvicorn[standard]"]  # with uvloop and httptools
OURS, THEIRS, QUIET = "our server", "FastAPI on uvicorn", "the same without its access log"
CONNECTIONS = (1, 16, 64)
LONGEST = 600  # seconds that a server may take to its first answer
FIGURES = ("requests_a_second", "p50_ms", "p99_ms", "requests_a_processor_second", "failed")

APP = """
import os

import flyweight
from fastapi import FastAPI
from pydantic import BaseModel

class Rows(BaseModel):
    instances: list[list[float]]

class Answer(BaseModel):
    predictions: list[int]
    probabilities: list[list[float]]

model = flyweight.load(os.environ["MODEL"])
app = FastAPI()

@app.post("/predict")
async def predict(rows: Rows) -> Answer:
    found = model.predict(rows.instances)
    return Answer(predictions=found.predictions, probabilities=found.probabilities)
"""
SCRIPT = """
wrk.method, wrk.body, wrk.headers["Content-Type"] = "POST", io.open(os.getenv("BODY")):read("*a"), "application/json"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"p50":%d,"p99":%d,"failed":%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, eq=False)
class Way:
    """One server with one model: its command, folder, variables, and the path of predictions; `{port}` stands for the port."""

    name: str
    model: str
    command: tuple[str, ...]
    folder: Path
    environ: dict[str, str]
    path: str = "/predict"


@dataclass
class Series:
    """The figures of the rounds; `loads` by the number of connections."""

    first_ms: list[float] = field(default_factory=list)
    first_processor_ms: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    loads: dict[int, list[dict[str, float]]] = field(default_factory=lambda: {count: [] for count in CONNECTIONS})


def ways(place: Path, models: list[str]) -> list[Way]:
    """Pack the models, and prepare the servers in a folder; the body of a model's requests is MODEL.json there."""
    python = str(python_in("fastapi", CONSTRAINTS, FASTAPI))
    (place / "app.py").write_text(APP)
    found = []
    for name in models:
        model = MODELS[name]()
        packed = flyweight.pack(model.estimator, place / f"{name}.safetensors", sample=model.sample, name=name)
        assert packed.path is not None
        (place / f"{name}.json").write_text(json.dumps({"instances": [model.instance]}))
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        folder = build("gcp", packed.path, place / name, python=version, handler=ROOT / "handlers" / "server").folder
        found.append(Way(OURS, name, (sys.executable, "server_main.py"), folder, {}))
        uvicorn = (python, "-m", "uvicorn", "app:app", "--port", "{port}")
        environ = {"MODEL": str(packed.path), "PYTHONPATH": str(ROOT / "shared")}
        found.append(Way(THEIRS, name, uvicorn, place, environ))
        found.append(Way(QUIET, name, (*uvicorn, "--no-access-log"), place, environ))
    return found


def cores() -> tuple[int, int]:
    """Choose a core for the server and another for wrk; the same one if the machine has one."""
    found = sorted(os.sched_getaffinity(0))
    return found[0], found[-1]


@contextmanager
def serving(way: Way, body: bytes, core: int) -> Iterator[tuple[subprocess.Popen[bytes], int, float]]:
    """Start a server, and ask until it predicts; yield its process, its port, and the milliseconds to the first answer."""
    port = free_port()
    command = ["taskset", "-c", str(core), *[word.format(port=port) for word in way.command]]
    settings = {name: value.format(port=port) for name, value in way.environ.items()}
    variables = {**os.environ, **settings, "PORT": str(port), "FLYWEIGHT_HOST": "127.0.0.1"}
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as log,  # without the access log of uvicorn and ours, which are written to stdout
        subprocess.Popen(command, cwd=way.folder, env=variables, stdout=subprocess.DEVNULL, stderr=log) as process,
    ):
        try:
            while not answers(way, port, body):
                if process.poll() is not None or time.perf_counter() - began > LONGEST:
                    log.seek(0)
                    written = log.read().decode(errors="replace")[-2000:]
                    raise click.ClickException(f"{way.name} does not answer: {' '.join(command)}\n{written}")
                time.sleep(0.001)
            yield process, port, 1000 * (time.perf_counter() - began)
        finally:
            end(process)


def answers(way: Way, port: int, body: bytes) -> bool:
    """Ask a server once; False if it does not listen yet, or has not loaded its model.

    :raises ClickException: it answers with another error.
    """
    with closing(HTTPConnection("127.0.0.1", port)) as connection:
        try:
            connection.request("POST", way.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except (ConnectionError, HTTPException):
            return False
    if answer.status not in (200, 404, 503):
        raise click.ClickException(f"{way.name} answered {answer.status}: {content.decode(errors='replace')[:500]}")
    return answer.status == 200


def end(process: subprocess.Popen[bytes]) -> None:
    """End a server with the processes that it started."""
    found = family(process.pid)
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
    for pid in found[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def family(pid: int) -> list[int]:
    """List a process and all that it started: proc(5), field 4 of their stat, is each one's parent."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for parent in found:  # grows meanwhile
        found += [child for child, of in parents.items() if of == parent]
    return found


def loaded(pid: int, port: int, place: Path, model: str, count: int, seconds: int, path: str = "/predict") -> dict[str, float]:
    """Send requests to a server over `count` connections for some seconds; their body is MODEL.json of a folder.

    :param pid: of the server's process.
    """
    script = place / "post.lua"
    script.write_text(SCRIPT)
    command = [
        "taskset",
        "-c",
        str(cores()[1]),
        str(WRK),
        "-t1",
        f"-c{count}",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(script),
    ]
    before = processor_seconds(pid)
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"],
        env={**os.environ, "BODY": str(place / f"{model}.json")},
        capture_output=True,
        text=True,
        check=True,
    )
    spent = processor_seconds(pid) - before
    told = json.loads(done.stdout.splitlines()[-1])
    rates = told["requests"] / told["us"] * 1e6, told["requests"] / spent
    return dict(zip(FIGURES, (rates[0], told["p50"] / 1e3, told["p99"] / 1e3, rates[1], told["failed"]), strict=True))


def processor_seconds(pid: int) -> float:
    """Read the processor time of a process and those it started, of their users and of the system.

    proc(5), fields 14 and 15 of their stat.
    """
    each = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in family(pid)]
    return sum(int(fields[11]) + int(fields[12]) for fields in each) / os.sysconf("SC_CLK_TCK")


def thread_seconds(pid: int) -> float:
    """Read the processor time of a process's threads that run still: the first field of schedstat, in nanoseconds.

    It is finer than that of `processor_seconds`. https://docs.kernel.org/scheduler/sched-stats.html
    """
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def measured(found: list[Way], place: Path, rounds: int, seconds: int) -> dict[Way, Series]:
    """Measure all ways in turns, after a round that is not counted and writes the bytecode."""
    series = {way: Series() for way in found}
    for number in track(range(-1, rounds), description="rounds", transient=True):
        start = max(number, 0) % len(found)
        for way in found[start:] + found[:start]:
            with serving(way, (place / f"{way.model}.json").read_bytes(), cores()[0]) as (process, port, first):
                if number < 0:
                    continue
                series[way].first_ms.append(first)
                series[way].first_processor_ms.append(1000 * thread_seconds(process.pid))
                for count in CONNECTIONS:
                    series[way].loads[count].append(loaded(process.pid, port, place, way.model, count, seconds))
                lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                series[way].peak_mb.append(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6)
    return series


def summary(series: Series) -> dict[str, Any]:
    """Compute the medians of one server with one model."""
    loads = {
        str(count): {name: round(median(each[name] for each in all_rounds), 2) for name in FIGURES}
        for count, all_rounds in series.loads.items()
    }
    return {
        "first_answer_ms": round(median(series.first_ms), 1),
        "first_answer_processor_ms": round(median(series.first_processor_ms), 1),
        "peak_mb": round(median(series.peak_mb), 1),
        "connections": loads,
    }


def show(document: dict[str, Any]) -> None:
    """Show the figures as a table."""
    table = Table(title=f"{document['rounds']} rounds of {document['seconds']} s, one core for the server")
    columns = ["model", "server", "first ms", "processor ms", "MB"]
    columns += ["connections", "a second", "p50 ms", "p99 ms", "a processor s", "failed"]
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position < 2 else "right")
    for model, servers in document["models"].items():
        for name, row in servers.items():
            first = [f"{row[key]:.0f}" for key in ("first_answer_ms", "first_answer_processor_ms", "peak_mb")]
            head = [model, name, *first]
            for count, load in row["connections"].items():
                figures = [f"{load['requests_a_second']:,.0f}", f"{load['p50_ms']:.2f}", f"{load['p99_ms']:.2f}"]
                rest = [f"{load['requests_a_processor_second']:,.0f}", f"{load['failed']:.0f}"]
                table.add_row(*head, count, *figures, *rest)
                head = [""] * 5
    Console(width=140).print(table)


@click.command()
@click.option("--rounds", default=7, show_default=True)
@click.option("--seconds", default=2, show_default=True, help="Of each load.")
@click.option("--models", default="linear,forest", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, show_default=True)
def main(rounds: int, seconds: int, models: str, out: Path) -> None:
    """Measure the servers in ROUNDS turns, and write the medians to OUT."""
    if not WRK.exists():
        raise click.ClickException("wrk makes the load, and is not installed; run: .ci/install-wrk")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        found = ways(place, models.split(","))
        series = measured(found, place, rounds, seconds)
    packages = versions(python_in("fastapi", CONSTRAINTS, FASTAPI))
    document: dict[str, Any] = {
        "machine": {"python": sys.version.split()[0], "cores": os.cpu_count(), "load": round(os.getloadavg()[2], 2)},
        "packages": {package: packages[package] for package in ("fastapi", "uvicorn", "uvloop", "httptools", "pydantic")},
        "rounds": rounds,
        "seconds": seconds,
        "models": {model: {way.name: summary(series[way]) for way in found if way.model == model} for model in models.split(",")},
    }
    show(document)
    out.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
