"""The core of a built folder is read from one file of bytecode, and is the same without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import flyweight
from flyweight.toolkit.building import bytecode

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


EACH = (
    "sorted((n, m.__file__, m.__package__, m.__spec__.origin, getattr(m, '__path__', 0)) for n, m in sys.modules.items() if %s)"
)
OURS = EACH % "n.startswith(('flyweight.', 'aws_'))"


def test_the_pieces_have_the_modules_of_a_cold_start_and_they_are_as_if_they_were_imported(copy: Path) -> None:
    at_once = run(copy, f"import flyweight; flyweight.import_first(); print('app' in sys.modules); found = {OURS}; print(found)")
    in_turn = run(copy, f"import aws_client, aws_client_site, app; print('app' in sys.modules); found = {OURS}; print(found)")
    first, second = at_once.stdout.splitlines(), in_turn.stdout.splitlines()
    assert first[0] == "False" and second[0] == "True", at_once.stderr
    assert "flyweight.serving.service" in first[1] and "aws_client_api" in first[1]
    assert first[1] == second[1]


def test_each_piece_is_read_at_once_and_no_module_of_it_a_second_time(copy: Path) -> None:
    program = """
import flyweight
read, sizes = flyweight._Bundle._read, []
flyweight._Bundle._read = lambda self, begin, size: sizes.append(size) or read(self, begin, size)
flyweight.import_first()
bundle = sys.meta_path[0]
pieces = [bundle._entry(str(number))[2] for number in range(len(sizes))]
print(sizes == pieces, bundle._entry(str(len(sizes))), max(sizes) <= 128 * 1024 < sum(sizes))
print(sum(name.startswith("flyweight.") for name in sys.modules) > 20)
"""
    assert run(copy, program).stdout == "True None True\nTrue\n"


COMPILED = """
import builtins, flyweight
model, make, asked = flyweight.load(sys.path[0] + "/model.safetensors"), compile, []
builtins.compile = lambda text, *how: asked.append(text) or make(text, *how)
print(len(asked), model.compiled()(%s), len(asked))
"""


def test_what_a_warm_function_makes_of_its_model_is_in_the_bundle(copy: Path) -> None:
    row = ["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007.0]
    answer = flyweight.load(str(copy / "model.safetensors")).engine.outputs([row], ("index", "probabilities"))
    assert run(copy, COMPILED % row).stdout == f"0 {[values[0] for values in answer]} 0\n"


def test_of_another_model_it_is_compiled(copy: Path) -> None:
    """As where an address leads to a new version: its plan has another text."""
    x = np.array([[1.0, 5.0], [2.0, 7.0], [4.0, 6.0]])
    flyweight.pack(
        make_pipeline(StandardScaler(), LinearRegression()).fit(x, [1.0, 2.0, 3.0]), copy / "model.safetensors", sample=x
    )
    answer = flyweight.load(str(copy / "model.safetensors")).predict([[1.0, 5.0]]).predictions
    assert run(copy, COMPILED % [1.0, 5.0]).stdout == f"0 {[answer]} 1\n"


def test_modules_in_c_are_found_as_usual_where_their_files_are_not_those_of_the_build(copy: Path) -> None:
    program = """
import flyweight
load = flyweight._import_extensions
flyweight._import_extensions = lambda files: load([(name, f"nosuch.{file}") for name, file in files])
flyweight.import_first()
import _json
print(_json.__name__)
"""
    assert run(copy, program).stdout == "_json\n"


def test_what_only_the_type_checker_reads_is_left_out(copy: Path) -> None:
    """In `values` it is a class in an `if` with an `else`; elsewhere an `if` alone."""
    (bundle,) = (copy / "flyweight" / "__pycache__").glob("bundle.*")
    content = bundle.read_bytes()
    assert b"_replace" in content and b"dataclass_transform" not in content and b"InferenceProtocol" not in content


def test_a_module_of_the_handler_is_read_from_its_own_folder_only(copy: Path, tmp_path: Path) -> None:
    """A folder that comes first on the path, as that of a function whose core is in a layer, has its own modules."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "aws_paths.py").write_text("MINE = True")
    program = f"import flyweight; sys.path.insert(0, {str(other)!r}); import aws_paths; print(aws_paths.MINE)"
    assert run(copy, program).stdout == "True\n"


def test_a_damaged_module_of_a_piece_is_an_error_and_leaves_nothing(copy: Path) -> None:
    program = """
import flyweight
flyweight._Bundle._run = lambda self, *code: 1 / 0
try: flyweight.import_first()
except ZeroDivisionError: print([name for name in sys.modules if name.startswith(("flyweight.", "aws_"))])
"""
    assert run(copy, program).stdout == "[]\n"


def test_bytecode_that_is_kept_is_taken_for_the_same_sources_and_python_alone(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(name: str, python: str = sys.executable) -> dict[Path, bytes]:
        """Compile a copy of a folder without its bytecode."""
        folder = tmp_path / name
        shutil.copytree(copy, folder, ignore=shutil.ignore_patterns("__pycache__"))
        if name == "changed":
            (folder / "flyweight" / "values.py").write_text("VALUE = 'a changed source'\n")
        bytecode.compile_tree(folder, python, ["app.py"])
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("__pycache__/*")}

    first = compiled("first")
    bundle = next(path for path in first if path.name.startswith("bundle"))
    runs: list[list[str]] = []
    monkeypatch.setattr(bytecode, "_run", lambda command, *rest: runs.append(command) or "")
    assert compiled("again") == first and not runs
    monkeypatch.undo()
    assert b"a changed source" in compiled("changed")[bundle]
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    bytecode.COMPILED.clear()
    assert compiled("cleared") == first
    monkeypatch.setattr(bytecode, "_run", lambda command, *rest: runs.append(command) or "")
    compiled("elsewhere", str(other))
    assert runs
