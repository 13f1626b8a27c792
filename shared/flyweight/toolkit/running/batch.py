"""Score the sample of a model with a built folder's job, and compare the predictions with the recorded ones."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from flyweight.toolkit import targets
from flyweight.toolkit.building.folder import model_of
from flyweight.toolkit.deploying.smoke import alike
from flyweight.toolkit.events.instances import instances
from flyweight.toolkit.publishing.catalogue import file_at

MOST = 1000  # rows of a sample that are scored


@dataclass(frozen=True)
class Scored:
    """The predictions of a job for the rows of a model's sample.

    `engine`: with its version; `recorded`: the predictions in the model file, [] if it has no sample; `seconds`: of the job.
    """

    engine: str
    predictions: list[Any]
    recorded: list[Any]
    seconds: float

    @property
    def as_recorded(self) -> bool | None:
        """Whether the predictions are the recorded ones; None where none are recorded."""
        return alike(self.predictions, self.recorded) if self.recorded else None

    def document(self) -> dict[str, Any]:
        """Describe the run as a JSON object."""
        told = {"engine": self.engine, "seconds": round(self.seconds, 3), "as_recorded": self.as_recorded}
        return {**told, "predictions": self.predictions}


def score(target: str, folder: Path, *, python: str = sys.executable, environ: Mapping[str, str] | None = None) -> Scored:
    """Run the job of a built folder on this machine.

    :param target: one with a job.
    :raises RuntimeFailed: the engine is not installed, or the job fails.
    :raises ToolkitError: the folder has no model, or the target has no job.
    """
    document = file_at(model_of(folder)).document
    rows, sample = instances(document, MOST), document.get("sample")
    recorded = sample.get("predictions", []) if isinstance(sample, dict) else []
    job = targets.find(target).job(folder, python=python, environ=environ)
    engine = job.description()
    with tempfile.TemporaryDirectory(prefix="flyweight-") as work:
        began = perf_counter()
        predictions = job.run(rows, Path(work))
        return Scored(engine, predictions, recorded[:MOST], perf_counter() - began)
