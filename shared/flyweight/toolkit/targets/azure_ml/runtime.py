"""Run a built folder under Microsoft's inference server (azmlinfsrv), where it is installed, or as the container of ours.

https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.http_runtime import first_child
from flyweight.toolkit.targets.runtime import Answer
from flyweight.toolkit.targets.served_runtime import ServedRuntime

ENTRY = "AZUREML_ENTRY_SCRIPT"  # a variable of the server's own
SCORE = "/score"
SCRIPT, PROGRAM, SERVER = "score.py", "azmlinfsrv", "azureml-inference-server-http"


class Runtime(ServedRuntime):
    """A folder of `flyweight build azure_ml`; an event is a plain request.

    The inference server answers `/`, `/score` and `/swagger.json` alone. An empty AZUREML_ENTRY_SCRIPT chooses our server.
    """

    TARGET = "azure_ml"
    CLIENTS: Mapping[str, Mapping[str, str]] = {"platform": {}, "own": {ENTRY: ""}}

    def __init__(self, folder: Path, **options: Any) -> None:
        """:raises RuntimeFailed: the variables name a script, and the interpreter does not have the inference server."""
        python = options.get("python", sys.executable)
        self._program = Path(os.path.abspath(shutil.which(python) or python)).with_name(PROGRAM)
        named = (options.get("environ") or {}).get(ENTRY)
        self._script = (SCRIPT if self._program.is_file() and (folder / SCRIPT).is_file() else "") if named is None else named
        if self._script and not self._program.is_file():
            step = f"install it for that Python: pip install {SERVER}; or leave {ENTRY} out"
            raise RuntimeFailed(f"{python} does not have {PROGRAM}, which runs {self._script}", step)
        if self._script:
            self.PACKAGES = (SERVER,)
        super().__init__(folder, **options)
        if not self._script:
            self.description = f"flyweight's server {self.description}"

    def command(self) -> list[str]:
        """Return the server's command line; it takes its port from there alone, and overwrites SERVER_PORT."""
        if not self._script:
            return super().command()
        return [str(self._program), "--entry_script", self._script, "--port", str(self.port)]

    def exchange(self, event: Any) -> Answer:
        """Send the event; what goes to /predict goes to the only path of the inference server.

        :raises RuntimeFailed: the connection breaks.
        """
        other = self._script and event["path"] == "/predict"
        return super().exchange({**event, "path": SCORE} if other else event)

    def answering_process(self) -> int:
        """Return the id of the process that answers: gunicorn's worker, which the inference server has forked."""
        return first_child(super().answering_process()) if self._script else super().answering_process()
