"""The interface of the facet `job`: score rows with a built folder, by the engine that scores batches elsewhere."""

import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Job(ABC):
    """One folder that scores batches.

    `python`: the interpreter that the engine's workers run; `environ`: variables in addition to this process's own.
    """

    def __init__(self, folder: Path, *, python: str = sys.executable, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.python = os.path.abspath(shutil.which(python) or python)  # not resolved: a venv is recognized by its link
        self.environ = dict(environ or {})

    @abstractmethod
    def description(self) -> str:
        """Name the engine and its version.

        :raises RuntimeFailed: it is not installed for this Python.
        """

    @abstractmethod
    def run(self, instances: list[dict[str, Any]], work: Path) -> list[Any]:
        """Score instances.

        :param instances: by feature name, None for a missing value.
        :param work: an empty folder for the files of the run.
        :returns: one prediction for each, in their order.
        :raises RuntimeFailed: the job fails; the end of its output is in the message.
        """
