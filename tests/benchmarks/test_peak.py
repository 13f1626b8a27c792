"""The memory of a command is that of all its processes at their largest."""

from __future__ import annotations

import sys

from benchmarks import peak

LINES = """
import subprocess, sys, time
if len(sys.argv) > 1:
    children = [subprocess.Popen([sys.executable, "-c", sys.argv[1]]) for _ in range(2)]
    print([child.wait() for child in children])
"""
LARGE = "import time; block = b'x' * 100_000_000; time.sleep(1.5)"


def test_processes_that_run_at_the_same_time_are_added_up() -> None:
    alone, one = peak.run([sys.executable, "-c", LARGE])
    done, two = peak.run([sys.executable, "-c", LINES, LARGE])
    assert (alone.returncode, done.returncode, done.stdout) == (0, 0, "[0, 0]\n")
    assert 100 < one < 200 <= two < 400
