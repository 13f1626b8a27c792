"""A model to what it takes on this machine, in a target's real runtime: the figures that plans and advice stand on."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight import predictor
from flyweight.toolkit.building import BuildFailed, build
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.building.folder import stored
from flyweight.toolkit.costs.workload import Measured
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.events import samples
from flyweight.toolkit.running.measure import measure

STEPS = ("import", "load", "fetch", "verify", "init")  # of a cold start, what limits on starting are about


class Unmeasured(ToolkitError):
    """A model that keeps no sample to ask it with."""

    next_step = "pack it with a sample: flyweight pack MODEL --sample rows.csv"


@dataclass(frozen=True)
class Sized:
    """What was measured: the model's own document, bytes of a request and of its answer, and the parts of a cold start.

    `model`: bytes of the model file; `missing`: why packages that the engine needs are not in the folder's size, if they are not.
    """

    measured: Measured
    document: Mapping[str, Any]
    sent: int
    received: int
    split: Mapping[str, float]
    model: int = 0
    missing: str = ""

    @property
    def init(self) -> float:
        """Seconds of a cold start that are ours, before the first request."""
        return sum(spent for step, spent in self.split.items() if step in STEPS)


def measured(target: str, model: str, rows: int, runs: int, repeat: int) -> Sized:
    """Build the model for a target into a folder that goes away, and ask it for `rows` of its own sample, again and again.

    :raises ModelRefused: the file fails a check.
    :raises RuntimeFailed: the target's runtime is not installed.
    :raises Unmeasured: the model keeps no sample.
    """
    loaded = stored(model) if "://" in model else predictor.load(model)
    sample = loaded.file.document.get("sample")
    if not isinstance(sample, dict) or not sample.get("instances"):
        raise Unmeasured(f"{model} keeps no sample to measure it with")
    kept = sample["instances"]
    instances = [kept[number % len(kept)] for number in range(rows)]
    event = samples.predicting(target, instances)
    with tempfile.TemporaryDirectory() as place:
        folder = build(target, model, Path(place) / target, python=version_of(sys.executable)).folder
        figures = measure(target, folder, event, runs=runs, repeat=max(repeat, 2))
        needs = loaded.file.document.get("requires")
        size, missing = _shipped(target, model, Path(place) / "shipped") if needs else (figures.size, "")
    warm = figures.warm_percentile(50) or figures.cold_median
    taken = Measured(figures.cold_median, warm, figures.memory or 0, size or figures.size, figures.runtime, _logged(figures.log))
    body = json.dumps({"instances": instances})
    weight = len(loaded.file.data)
    return Sized(taken, loaded.file.document, len(body.encode()), len(figures.answer.body), figures.split or {}, weight, missing)


def _shipped(target: str, model: str, out: Path) -> tuple[int, str]:
    """The bytes that are deployed, with packages for the target's system, which this machine need not be able to run.

    The form is an image's, whose limit is the widest: what is over a folder's is still measured, and listed among the limits.
    """
    try:
        built = build(target, model, out, python=version_of(sys.executable), form="image", install=True)
    except BuildFailed as error:
        return 0, str(error).partition("\n")[0]
    return built.size + (0 if built.shipped else sum(package.size for package in built.packages)), ""


def _logged(log: str) -> int:
    """The bytes of the line that the function logged for its first request; what the runtime prints besides is not its own."""
    lines = [line for line in log.splitlines() if '"answered"' in line]
    return len(lines[-1].encode()) + 1 if lines else 0
