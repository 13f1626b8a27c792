"""Run a command, and measure the most memory that its processes have together."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from benchmarks.load import family

SECONDS = 0.2  # between two looks


def run(command: list[str], **options: Any) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a command to its end.

    :param options: of `subprocess.Popen`.
    :returns: what became of it with its output, and megabytes: the peaks of all processes that live at the same time, added up.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    peak = 0.0
    with subprocess.Popen(command, **pipes, **options) as process:
        while True:
            try:
                out, err = process.communicate(timeout=SECONDS)
                return subprocess.CompletedProcess(command, process.returncode, out, err), peak
            except subprocess.TimeoutExpired:
                peak = max(peak, sum(map(_peak_of, family(process.pid))))


def _peak_of(pid: int) -> float:
    """Read the largest memory that a process had, in MB; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0) * 1024 / 1e6
