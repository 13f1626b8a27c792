"""Run a built folder as systemd does on a machine: the command line and the variables of its unit, over plain HTTP."""

import shlex
from collections.abc import Mapping

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.http_runtime import IDLE, HttpRuntime

UNIT = "flyweight@.service"
MACHINE_PYTHON = "/usr/bin/python3"  # in the unit, for which this runtime's interpreter stands


class Runtime(HttpRuntime):
    """A folder with a systemd unit, whose file's name is `UNIT`; an event is a plain request."""

    UNIT = UNIT
    EMPTY: Mapping[str, str] = {UNIT: f"ExecStart={MACHINE_PYTHON} idle.py\n", "idle.py": IDLE}

    def command(self) -> list[str]:
        """Read the command line from the unit.

        :raises RuntimeFailed: the folder has no unit, or the unit no command line.
        """
        program, *arguments = shlex.split(self._unit("ExecStart"))
        return [self.python if program == MACHINE_PYTHON else program, *arguments]

    def variables(self) -> dict[str, str]:
        """Return the unit's variables, those with the name of a machine's service left out, and an address of this machine."""
        fixed = [pair for pair in self._lines("Environment") if "%" not in pair]
        return {**dict(pair.split("=", 1) for pair in fixed), "PORT": str(self.port), "FLYWEIGHT_HOST": "127.0.0.1"}

    def _unit(self, key: str) -> str:
        values = self._lines(key)
        if not values:
            step = "build the folder again with `flyweight build`"
            raise RuntimeFailed(f"{self.folder / self.UNIT} does not say what systemd starts", step)
        return values[-1]

    def _lines(self, key: str) -> list[str]:
        path = self.folder / self.UNIT
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
