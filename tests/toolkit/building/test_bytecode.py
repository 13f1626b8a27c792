"""The core of a built folder is read from one file of bytecode, and is the same without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROWS = "[['Biscoe', 46.1, 13.2, 211, 4500, 'female', 2007]]"


def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process prints that has the folder on its path, and nothing else."""
    whole = f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}"
    return subprocess.run([sys.executable, "-I", "-S", "-B", "-c", whole], capture_output=True, text=True)


@pytest.fixture
def copy(built: Callable[[str], Path], tmp_path: Path) -> Path:
    return shutil.copytree(built("aws"), tmp_path / "copy")


def test_the_cores_modules_come_out_of_the_bundle(copy: Path) -> None:
    program = """
import flyweight
print(flyweight.load(sys.path[0] + "/model.safetensors").predict(%s).predictions)
ours = [module for name, module in sys.modules.items() if name.startswith("flyweight.")]
print({type(module.__spec__.loader).__name__ for module in ours}, all(module.__file__.startswith(sys.path[0]) for module in ours))
"""
    assert run(copy, program % ROWS).stdout == "['Gentoo']\n{'_Bundle'} True\n"


def test_without_the_bundle_or_with_that_of_another_python_the_sources_are_read(copy: Path) -> None:
    program = f'import flyweight; print(flyweight.load(sys.path[0] + "/model.safetensors").predict({ROWS}).predictions)'
    [bundle] = (copy / "flyweight" / "__pycache__").glob("bundle.*")
    bundle.rename(bundle.with_name("bundle.cpython-310"))
    done = run(copy, f"{program}; print(type(flyweight.predictor.__spec__.loader).__name__)")
    assert done.stdout == "['Gentoo']\nSourceFileLoader\n", done.stderr


def test_a_traceback_in_the_log_shows_the_source(copy: Path) -> None:
    """As `errors.account` makes it; what the interpreter itself prints at its end does not on Python 3.11."""
    program = "import flyweight, traceback\ntry: flyweight.load('nowhere.safetensors')\nexcept OSError: traceback.print_exc()"
    done = run(copy, program)
    assert "in load\n    " in done.stderr and "flyweight/predictor.py" in done.stderr


def test_what_is_not_in_the_bundle_is_looked_for_as_usual(copy: Path) -> None:
    (copy / "flyweight" / "added.py").write_text("FOUND = True\n")
    assert run(copy, "import flyweight.added; print(flyweight.added.FOUND)").stdout == "True\n"
    done = run(copy, "import flyweight.absent")
    assert done.stderr.endswith("ModuleNotFoundError: No module named 'flyweight.absent'\n")
