"""What a user of the package gets: types, public names that cost nothing until they are used, and errors of one family."""

from __future__ import annotations

import ast
import builtins
import importlib
import subprocess
import sys
import tomllib
import zipfile

import pytest

import flyweight
from flyweight.errors import FlyweightError
from tests.architecture.sources import SHARED, nodes, tree
from tests.conftest import ROOT

BUILTIN = {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}
# Exceptions that no user meets, each with the module that catches it.
CAUGHT_INSIDE = {
    "ChunkError": "stores/objects.py raises the caller's own error that it carries through the library",
    "EngineSkipped": "toolkit/packing/selection.py notes it as the reason why an engine was passed over",
    "NotStrictJSON": "each caller says which text it was, by an error of its own",
    "OutOfTime": "files/scoring.py ends the invocation, and the next one goes on",
}


def test_the_package_says_that_it_has_types() -> None:
    assert (ROOT / "shared" / "flyweight" / "py.typed").is_file()
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert "Typing :: Typed" in classifiers


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel and list its files."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return {*zipfile.ZipFile(path).namelist()}


def test_the_wheel_says_so_too(wheel: set[str]) -> None:
    assert "flyweight/py.typed" in wheel


def test_what_is_not_python_travels_in_the_wheel(wheel: set[str]) -> None:
    package = ROOT / "shared" / "flyweight"
    data = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    named = {f"flyweight/{path.relative_to(package).as_posix()}" for path in data}
    assert "flyweight/toolkit/exporting/c/functions.c" in named
    assert named <= wheel


def test_public_names_are_sorted() -> None:
    assert flyweight.__all__ == sorted(flyweight.__all__)


def test_public_names_are_shown_without_importing_their_modules() -> None:
    program = "import sys, flyweight; print(*dir(flyweight)); print(*[name for name in sys.modules if 'flyweight.' in name])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    shown, imported = done.stdout.splitlines()
    assert {*flyweight.__all__} <= {*shown.split()}
    assert not imported


@pytest.mark.parametrize("name", flyweight.__all__)
def test_a_public_name_is_what_the_type_checker_sees(name: str) -> None:
    """The module that is imported on first use is the one from which `TYPE_CHECKING` imports the name."""
    (init,) = [path for path in SHARED if path == ROOT / "shared" / "flyweight" / "__init__.py"]
    modules = [n.module for n in nodes(init) if isinstance(n, ast.ImportFrom) and name in {alias.name for alias in n.names}]
    assert len(modules) == 1
    try:
        found = getattr(flyweight, name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] == "flyweight":
            raise
        pytest.skip(f"{name} needs {error.name}, which is tested in an environment of its own")
    assert found is getattr(importlib.import_module(str(modules[0])), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'unpack'"):
        flyweight.unpack  # noqa: B018


def test_each_error_is_a_flyweight_error() -> None:
    """`except flyweight.FlyweightError` catches all that the package raises on purpose."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in SHARED
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
    }

    def ancestors(name: str, below: frozenset[str] = frozenset()) -> set[str]:
        """The names of a class and of those that it is made from; two classes may have one name."""
        over = bases.get(name, set()) - below
        return {name}.union(*(ancestors(base, below | {name, base}) for base in over))

    errors = {name for name in bases if ancestors(name) & BUILTIN}
    ours = {name for name in errors if FlyweightError.__name__ in ancestors(name)}
    assert ours > {"InvalidInput", "ObjectNotFound", "BuildFailed"}
    assert errors - ours == {*CAUGHT_INSIDE}
