"""Run a built folder as systemd does on a device, with a state of its own, and no line to anywhere."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flyweight.toolkit.targets.http_runtime import IDLE
from flyweight.toolkit.targets.vm.runtime import MACHINE_PYTHON
from flyweight.toolkit.targets.vm.runtime import Runtime as Machine

UNIT = "flyweight-edge@.service"


class Runtime(Machine):
    """A folder with the agent's unit; an event is a plain request."""

    UNIT = UNIT
    WAITS = False
    EMPTY: Mapping[str, str] = {UNIT: f"ExecStart={MACHINE_PYTHON} idle.py\n", "idle.py": IDLE}

    def __init__(self, folder: Path, **options: Any) -> None:
        super().__init__(folder, **options)
        self._state = tempfile.mkdtemp(prefix="flyweight-edge-")

    def variables(self) -> dict[str, str]:
        """Return the unit's variables, and a folder for models and answers that is removed afterwards."""
        return {**super().variables(), "FLYWEIGHT_EDGE_STATE": self._state}

    def close(self) -> None:
        """Stop the process, and remove what it kept."""
        super().close()
        shutil.rmtree(self._state, ignore_errors=True)
