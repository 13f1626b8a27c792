"""The user's own steps: where `flyweight_steps.py` is found while packing, predicting and building."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from flyweight.errors import FlyweightError
from flyweight.ops.own import MODULE


class StepsRefused(FlyweightError):
    """A file of steps that can't be used; it says why."""


def use(path: str | Path) -> None:
    """Take the steps in this file, whatever its name, as the deployment will find them in `flyweight_steps.py`.

    :raises StepsRefused: it has no table `STEPS` of name -> (function, kinds).
    :raises OSError: it can't be read.
    """
    path = Path(path)
    path.open("rb").close()
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = getattr(module, "STEPS", None)
    if not isinstance(table, dict) or not all(_sound(step) for step in table.values()):
        raise StepsRefused(f"{path} has no table STEPS of name -> (function, kinds), such as {{'region': (region, 's')}}")
    sys.modules[MODULE] = module


def source() -> Path | None:
    """The file of the steps in use; None where there are none."""
    module = sys.modules.get(MODULE)
    return None if module is None or module.__file__ is None else Path(module.__file__)


def kinds_of(name: str) -> str | None:
    """The kinds that a step in use gives, one letter a column; None where there is no such step."""
    step = getattr(sys.modules.get(MODULE), "STEPS", {}).get(name)
    return None if step is None else str(step[1])


def _sound(step: object) -> bool:
    if not isinstance(step, tuple) or len(step) != 2:
        return False
    function, kinds = step
    return callable(function) and isinstance(kinds, str) and set(kinds) <= {"n", "s"}
