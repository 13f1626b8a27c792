"""Measure where the time of Azure's Python worker goes, and how long our custom handler takes instead."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks import folders
from benchmarks.environments import ROOT, python_of, versions
from benchmarks.models import MODELS
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.requests import body_of

STEPS = Path(__file__).with_name("azure_steps.py")
WORKER = ROOT / "shared" / "flyweight" / "toolkit" / "targets" / "azure" / "worker.py"
RESULT = ROOT / "benchmarks" / "results" / "azure_worker.json"
PACKAGES = ("azure-functions", "azure-functions-runtime", "grpcio", "protobuf", "werkzeug")
FRESH, PLACEHOLDER = "fresh", "placeholder"
Steps = dict[str, list[float]]  # from a step to its milliseconds, and to those on a processor


@click.command()
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Fresh processes of each kind.")
@click.option("--model", "name", default="mixed", show_default=True, type=click.Choice([*MODELS]), help="The model.")
@click.option("--python", help="An interpreter with azure-functions-runtime and grpcio.  [default: a new environment]")
@click.option("--out", type=click.Path(path_type=Path), default=RESULT, help="The file for the figures.")
def main(rounds: int, name: str, python: str | None, out: Path) -> None:
    """Take the steps of the worker in fresh processes, in turns: an empty function and ours, started and from a placeholder."""
    interpreter = Path(python or python_of("azure"))
    began = _now()
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        folders.model_file(MODELS[name](), place)
        made = {kind: folders.make("azure", MODELS[name](), kind, place) for kind in (folders.EMPTY, folders.FLYWEIGHT)}
        found: dict[str, list[Steps]] = {}
        for number in range(-1, rounds):  # the first round is not counted
            for kind, function in made.items():
                for start in (FRESH, PLACEHOLDER):
                    taken = _steps(interpreter, function.folder, start, body_of(function.event).decode())
                    found.setdefault(f"{kind}, {start}", []).extend([taken] if number >= 0 else [])
            taken = _handler(interpreter, made[folders.FLYWEIGHT])
            found.setdefault("custom handler", []).extend([taken] if number >= 0 else [])
    results = {kind: _medians(several) for kind, several in found.items()}
    machine = {"cores": os.cpu_count(), "versions": {n: v for n, v in versions(interpreter).items() if n in PACKAGES}}
    document = {"machine": machine, "began": began, "ended": _now(), "rounds": rounds, "model": name, "results": results}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n")
    _show(results)
    click.echo(f"written: {os.path.relpath(out)}")


def _steps(python: Path, folder: Path, start: str, body: str) -> Steps:
    """Run the worker's steps in a fresh process."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python), "-P", str(STEPS), str(perf_counter()), str(folder), str(WORKER), start, body]
    done = subprocess.run(command, env={**environ, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the worker's steps failed:\n{done.stderr[-2000:]}")
    taken: Steps = json.loads(done.stdout.splitlines()[-1])
    return taken


def _handler(python: Path, function: folders.Function) -> Steps:
    """Start the custom handler, and ask for one prediction, as the host does, which looks every 25 ms whether it listens."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    kind = runtime("azure")
    with kind(function.folder, python=str(python), environ=kind.client("own")) as process:
        seconds = process.invoke(function.event).seconds
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    return {"all": [1000 * seconds, 1000 * used]}


def _medians(several: list[Steps]) -> dict[str, Any]:
    """Compute the median of each step, and of the sum of all steps of a process."""
    steps = {step: [_median(one[step][at] for one in several) for at in (0, 1)] for step in several[0]}
    total = [_median(sum(step[at] for step in one.values()) for one in several) for at in (0, 1)]
    return {"steps": steps if len(steps) > 1 else {}, "total": total}


def _now() -> dict[str, Any]:
    return {"time": datetime.now(UTC).isoformat(timespec="seconds"), "load": round(os.getloadavg()[0], 2)}


def _median(values: Any) -> float:
    return round(median(values), 1)


def _show(results: dict[str, Any]) -> None:
    table = Table("process", "step", "ms", "of them on a processor")
    for kind, figures in results.items():
        for step, (spent, used) in {**figures["steps"], "total": figures["total"]}.items():
            table.add_row(kind, step, f"{spent:.1f}", f"{used:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
