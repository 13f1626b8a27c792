"""Run a built folder in node: Pyodide for the Python of Workers, and node's requests and responses for theirs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.targets import pyodide
from flyweight.toolkit.targets.http_runtime import HttpRuntime

SCRIPT = Path(__file__).with_name("serve.mjs")
WORKER = """from js import Response
from workers import WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.new("{}")
"""


class Runtime(HttpRuntime):
    """A folder with a Worker; an event is a plain request."""

    EMPTY: Mapping[str, str] = {"cloudflare_worker.py": WORKER, "wrangler.json": '{"main": "cloudflare_worker.py"}\n'}

    def __init__(self, folder: Path, **options: Any) -> None:
        """:raises RuntimeFailed: node, or Pyodide for it, is not installed."""
        self._pyodide = pyodide.required()
        super().__init__(folder, **options)
        self.description = f"Worker on Python by Pyodide {pyodide.VERSION} in node"

    @classmethod
    def missing(cls) -> str:
        """Say what is not installed, "" if all is there."""
        return pyodide.missing()

    def command(self) -> list[str]:
        """Start the stand-in for the runtime of Workers."""
        return ["node", str(SCRIPT), str(self._pyodide)]

    def variables(self) -> dict[str, str]:
        """Say where it listens."""
        return {"PORT": str(self.port)}
