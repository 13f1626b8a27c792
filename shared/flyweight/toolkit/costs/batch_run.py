"""Measure a target's job on this machine: its start, a row, and its memory.

The job runs in a process of its own, `python -m flyweight.toolkit.costs.batch_run TARGET FOLDER` with the rows on its standard
input, so that processor time and memory are those of its processes and of no other's. Time is the processors', which is what
clouds bill, and which other work on this machine hardly changes.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.errors import RuntimeFailed

ROWS = 10_000, 80_000  # of a longer run, and of another one if the rows of that took less than half as long as its start


@dataclass(frozen=True)
class BatchRun:
    """The processor seconds of a run of one row and of each further row, the peak memory in bytes, and the engine."""

    start: float
    row: float
    memory: int
    engine: str


def measured(target: str, folder: Path, sample: list[dict[str, Any]]) -> BatchRun:
    """Run the job of a built folder for one row, and for many.

    :param sample: rows of the model, which are repeated.
    :raises RuntimeFailed: the engine is not installed, or the job fails.
    """
    start = _in_process(target, folder, sample[:1])["seconds"]
    for rows in ROWS:
        many = (sample * math.ceil(rows / len(sample)))[:rows]
        long = _in_process(target, folder, many)
        more = max(long["seconds"] - start, 0.0)
        if more >= start / 2:
            break
    return BatchRun(start, max(more / (rows - 1), 1e-9), long["memory"], long["engine"])


def _in_process(target: str, folder: Path, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Run the job in a process of its own.

    :returns: the seconds, the memory in bytes and the engine.
    :raises RuntimeFailed: the engine is not installed, or the job fails.
    """
    path = os.pathsep.join(sys.path)  # the package may not be installed
    words = [sys.executable, "-m", "flyweight.toolkit.costs.batch_run", target, str(folder)]
    done = subprocess.run(words, input=json.dumps(rows), capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    if done.returncode:
        raise RuntimeFailed(f"the job of {target} was not measured: {done.stderr.strip()[-500:]}", "run it: flyweight invoke")
    told: dict[str, Any] = json.loads(done.stdout)
    if "failed" in told:
        raise RuntimeFailed(told["failed"], told["next_step"])
    return told


def main() -> None:
    """Run the job that the command line names, and print what it took, or why it failed, as JSON."""
    import resource  # of Unix alone

    target, folder = sys.argv[1:]
    try:
        job = targets.find(target).job(Path(folder))
        engine = job.description()
        with tempfile.TemporaryDirectory(prefix="flyweight-") as work:
            job.run(json.load(sys.stdin), Path(work))
    except RuntimeFailed as error:
        print(json.dumps({"failed": str(error), "next_step": error.next_step}))
        return
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": used.ru_utime + used.ru_stime, "memory": memory, "engine": engine}))


if __name__ == "__main__":
    main()
