"""Score rows with a built folder in node, by the Pyodide and the script that a page loads."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets import job, pyodide

SCRIPT = Path(__file__).with_name("run.mjs")
ROWS = 500  # in a request
JSON = {"content-type": "application/json"}


class Job(job.Job):
    """A folder with a page, whose form node fills in."""

    def description(self) -> str:
        """Name Pyodide's version.

        :raises RuntimeFailed: node, or the package, is not installed.
        """
        pyodide.required()
        return f"Pyodide {pyodide.VERSION} on node"

    def run(self, instances: list[dict[str, Any]], work: Path) -> list[Any]:
        """Ask for predictions, some hundred rows at a time.

        :raises RuntimeFailed: node or the package is not installed, or a request is refused.
        """
        parts = [instances[start : start + ROWS] for start in range(0, len(instances), ROWS)]
        answers = self.exchange([("POST", "/predict", JSON, json.dumps({"instances": part})) for part in parts])
        refused = next((body for status, _, body in answers if status >= 400), "")
        if refused:
            raise RuntimeFailed(f"the page refused the rows: {refused[:500]}", "correct the rows, and try again")
        return [prediction for _, _, body in answers for prediction in json.loads(body)["predictions"]]

    def exchange(self, requests: list[tuple[str, str, Mapping[str, str], str]]) -> list[tuple[int, dict[str, str], str]]:
        """Answer requests of method, path, headers and body by status, headers and body; bodies are bytes in Latin 1.

        :raises RuntimeFailed: node or the package is not installed, or the script fails.
        """
        lines = [json.dumps(request) for request in requests]
        done = subprocess.run(
            ["node", str(SCRIPT), str(self.folder), str(pyodide.required())],
            input="\n".join(lines), capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeFailed(f"node failed: {done.stderr[-1000:]}", "build the folder again, and install the named Pyodide")
        return [tuple(json.loads(line)) for line in done.stdout.splitlines()]
