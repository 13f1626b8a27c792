"""The user's own steps: the file that packing, predicting and building use as `flyweight_steps.py`."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

from flyweight.ops.own import MODULE
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.packing.guard import STOPS, first_line


class StepsRefused(ToolkitError):
    """A file of steps that can't be used; the message says why."""

    next_step = "see docs/your-own-step.md for what such a file contains"


def use(path: str | Path) -> None:
    """Import a file of steps under the name `flyweight_steps`, as a deployment imports it.

    :param path: a Python file of any name.
    :raises StepsRefused: the file can't be imported, or has no table `STEPS` of name -> (function, kinds).
    :raises OSError: the file can't be read.
    """
    path = Path(path)
    path.open("rb").close()
    loader = SourceFileLoader(MODULE, str(path))
    spec = importlib.util.spec_from_loader(MODULE, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    try:
        loader.exec_module(module)
    except STOPS:
        raise
    except BaseException as error:  # the user's code, or a file that is no Python at all
        raise StepsRefused(f"{path} can't be imported: {first_line(error)}") from error
    table = getattr(module, "STEPS", None)
    if not isinstance(table, dict) or not all(_is_step(step) for step in table.values()):
        raise StepsRefused(f"{path} has no table STEPS of name -> (function, kinds), such as {{'region': (region, 's')}}")
    sys.modules[MODULE] = module


def source() -> Path | None:
    """Get the file of the steps in use; None if there are none."""
    module = sys.modules.get(MODULE)
    return None if module is None or module.__file__ is None else Path(module.__file__)


def kinds_of(name: str) -> str | None:
    """Get the kinds of a step's output columns, one letter each ("n" or "s"); None if no step has that name."""
    step = getattr(sys.modules.get(MODULE), "STEPS", {}).get(name)
    return None if step is None else str(step[1])


def _is_step(step: object) -> bool:
    """Check that a value of `STEPS` is a pair of a function and the kinds of its output columns."""
    if not isinstance(step, tuple) or len(step) != 2:
        return False
    function, kinds = step
    return callable(function) and isinstance(kinds, str) and set(kinds) <= {"n", "s"}
