"""From how many rows on the numpy engine gains: measured on the model itself, on the machine that packs it."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flyweight.toolkit.sample import Row

if TYPE_CHECKING:
    from flyweight.engines import Engine

FEW, MANY = 16, 1024
SECONDS = 0.02  # how long each figure may be measured for


def crossover(rows_engine: Engine, batch_engine: Engine, rows: list[Row], names: tuple[str, ...]) -> dict[str, int] | None:
    """The document's `batch`: the least number of rows for NumPy where it is loaded, and where it must first be imported.

    Both engines take a fixed time and one a row. None where NumPy's time a row is no shorter, so that no batch ever gains.
    """
    few, many = ([rows[position % len(rows)] for position in range(count)] for count in (FEW, MANY))
    each = _seconds(lambda: rows_engine.outputs(few, names)) / FEW
    small = _seconds(lambda: batch_engine.outputs(few, names))
    large = _seconds(lambda: batch_engine.outputs(many, names))
    batch_each = max(0.0, large - small) / (MANY - FEW)
    fixed = max(0.0, small - FEW * batch_each)
    if each <= batch_each:
        return None
    gain = each - batch_each
    return {"from": max(2, math.ceil(fixed / gain)), "from_cold": max(2, math.ceil((fixed + import_seconds()) / gain))}


@cache
def import_seconds() -> float:
    """How long a fresh interpreter takes to import NumPy, the best of three."""
    code = "from time import perf_counter as t; began = t(); import numpy; print(t() - began)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    return min(float(run.stdout) for run in runs)


def _seconds(run: Callable[[], Any]) -> float:
    """The best of as many runs as fit into the time, at least three."""
    best, began = math.inf, perf_counter()
    for number in range(1000):
        start = perf_counter()
        run()
        best = min(best, perf_counter() - start)
        if number >= 2 and perf_counter() - began > SECONDS:
            break
    return best
