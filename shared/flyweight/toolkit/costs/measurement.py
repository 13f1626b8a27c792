"""Measure a model on this machine in a target's real runtime, for `plan` and `advise`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flyweight.toolkit import model_files, targets
from flyweight.toolkit.building import BuildFailed, build
from flyweight.toolkit.building.bytecode import version_of
from flyweight.toolkit.building.folder import stored
from flyweight.toolkit.costs import batch_run
from flyweight.toolkit.costs.workload import Measured
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.events import samples
from flyweight.toolkit.events.instances import instances
from flyweight.toolkit.running import runtime
from flyweight.toolkit.running.measure import measure

STEPS = ("import", "load", "fetch", "verify", "init")  # the steps of a cold start to which limits on startup apply


class Unmeasured(ToolkitError):
    """A model without a sample to measure with."""

    next_step = "pack it with a sample: flyweight pack MODEL --sample rows.csv"


@dataclass(frozen=True)
class Sized:
    """The measurement, with the model's document, the bytes of a request and its answer, and the parts of a cold start.

    `model`: bytes of the model file; `missing`: why the folder's size does not include the engine's packages, empty if it does.
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
        """The seconds of a cold start that flyweight spends before the first request."""
        return sum(spent for step, spent in self.split.items() if step in STEPS)


def measured(
    target: str, model: str, rows: int, runs: int, repeat: int, client: str = "platform", *, whole: bool = True
) -> Sized:
    """Build the model for a target into a temporary folder, and measure requests with `rows` rows of its own sample.

    A target that answers no requests is measured by its job: a request is then as many rows of a batch.

    :param client: what runs the function, one of the `CLIENTS` of the target's runtime.
    :param whole: whether the folder's size includes the packages that the model's engine needs, which takes some seconds.
    :raises ModelRefused: the file fails a check.
    :raises RuntimeFailed: the target's runtime is not installed.
    :raises Unmeasured: the model contains no sample.
    """
    loaded = stored(model) if "://" in model else model_files.load(model)
    sample = loaded.file.document.get("sample")
    if not isinstance(sample, dict) or not sample.get("instances"):
        raise Unmeasured(f"{model} contains no sample to measure with")
    if not targets.find(target).has("runtime"):
        return _by_job(target, model, loaded, rows)
    kept = sample["instances"]
    request = [kept[number % len(kept)] for number in range(rows)]
    event = samples.predicting(target, request)
    with tempfile.TemporaryDirectory() as place:
        folder = build(target, model, Path(place) / target, python=version_of(sys.executable)).folder
        figures = measure(target, folder, event, runs=runs, repeat=max(repeat, 2), environ=runtime(target).client(client))
        needs = whole and loaded.file.document.get("requires")
        size, missing = _shipped(target, model, Path(place) / "shipped") if needs else (figures.size, "")
    warm = figures.warm_percentile(50) or figures.cold_median
    taken = Measured(figures.cold_median, warm, figures.memory or 0, size or figures.size, figures.runtime, _logged(figures.log))
    body = json.dumps({"instances": request})
    weight = len(loaded.file.data)
    return Sized(taken, loaded.file.document, len(body.encode()), len(figures.answer.body), figures.split or {}, weight, missing)


def _by_job(target: str, model: str, loaded: Any, rows: int) -> Sized:
    """Build the model for a target without requests, and measure its job, or that of the target that stands for it.

    :param loaded: the model, which has a sample.
    :param rows: how many of a batch count as a request.
    """
    found = targets.find(target)
    measured_as = (found.has("costs") and found.costs.like) or target
    document = loaded.file.document
    with tempfile.TemporaryDirectory() as place:
        size = build(target, model, Path(place) / "own", python=version_of(sys.executable)).size
        folder = build(measured_as, model, Path(place) / "measured", python=version_of(sys.executable)).folder
        run = batch_run.measured(measured_as, folder, instances(document, batch_run.ROWS[0]))
    taken = Measured(run.start, rows * run.row, run.memory, size, run.engine)
    sent, received = (_bytes_of(document["sample"][part], rows) for part in ("instances", "predictions"))
    return Sized(taken, document, sent, received, {}, len(loaded.file.data))


def _bytes_of(kept: list[Any], rows: int) -> int:
    """Return the bytes of `rows` rows in JSON, from the mean of those that are kept."""
    return round(len(json.dumps(kept)) / len(kept) * rows)


def _shipped(target: str, model: str, out: Path) -> tuple[int, str]:
    """Count the bytes to deploy, with packages for the target's system, which this machine may be unable to run.

    Builds an image, which has the largest limit, so that a model over the limit of a folder is measured too, and reported.
    """
    try:
        built = build(target, model, out, python=version_of(sys.executable), form="image", install=True)
    except BuildFailed as error:
        return 0, str(error).partition("\n")[0]
    return built.size + (0 if built.shipped else sum(package.size for package in built.packages)), ""


def _logged(log: str) -> int:
    """Count the bytes of the function's log line for its first request, without the runtime's own output."""
    lines = [line for line in log.splitlines() if '"answered"' in line]
    return len(lines[-1].encode()) + 1 if lines else 0
