"""Run a built folder as Cloud Run runs its container: the command line of its Procfile, over plain HTTP."""

import shlex
from pathlib import Path
from typing import Any

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.gcp.runtime import Runtime as Functions
from flyweight.toolkit.targets.runtime import Runtime as Base

PROCFILE, PROCESS = "Procfile", "web:"


class Runtime(Functions):
    """A folder with a Procfile; an event is a plain request."""

    PACKAGES = ()
    EXTRA = ""

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self.description = f"{PROCFILE} {self.description}"

    @classmethod
    def empty(cls, folder: Path) -> type[Base]:
        """Write a function that does nothing, which Cloud Run's own functions-framework runs."""
        return Functions.empty(folder)

    def command(self) -> list[str]:
        """Read the command line from the Procfile.

        :raises RuntimeFailed: the folder has none.
        """
        path = self.folder / PROCFILE
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        words = [shlex.split(line.removeprefix(PROCESS)) for line in lines if line.startswith(PROCESS)]
        if not words or not words[0]:
            step = "write a line 'web: python PROGRAM.py', or build the folder: flyweight build cloudrun"
            raise RuntimeFailed(f"{path} does not say what Cloud Run starts", step)
        program, *arguments = words[0]
        return [self.python if program in ("python", "python3") else program, *arguments]

    def variables(self) -> dict[str, str]:
        """Return the variables that Cloud Run sets, and the address of this machine alone."""
        kept = {name: value for name, value in super().variables().items() if not name.startswith("FUNCTION_") and name != "HOST"}
        return {**kept, "FLYWEIGHT_HOST": "127.0.0.1", "K_CONFIGURATION": self.folder.name}
