"""The bytecode of a folder, made by the Python that will run it.

Bytecode names its source's time by default, and every deployment tool resets times, so that it is stale on arrival and
each cold start compiles anew. An unchecked hash is never compared (https://peps.python.org/pep-0552/).
"""

import marshal
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flyweight.toolkit.errors import BuildFailed, ToolkitError

HEADER = 16  # bytes of a file of bytecode before the code itself: its version, how it is checked, and against what (PEP 552)


class NoSuchPython(ToolkitError):
    """The Python that was asked for is not on this machine."""


def interpreter(version: str) -> str:
    """The path of a Python of that version, as `3.13`: this one, one on the path, uv's, or pyenv's.

    :raises NoSuchPython: no such Python is on this machine.
    """
    for candidate in _candidates(version) if re.fullmatch(r"3\.\d+", version) else ():
        if version_of(candidate) == version:
            return candidate
    step = f"install it (uv python install {version}), or build for another (--python)"
    raise NoSuchPython(f"no Python {version} found here, whose bytecode the function needs", step)


def compile_tree(folder: Path, python: str) -> None:
    """Compile every source of `folder`, in an order and under names that do not depend on where it lies.

    The core's bytecode becomes one file, which the core itself looks into (`flyweight/__init__.py`), without docstrings, which
    nothing reads there and which would be a tenth of it.

    :raises BuildFailed: a source does not compile.
    """
    sources = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py"))
    core = [source for source in sources if source.startswith("flyweight/") and source != "flyweight/__init__.py"]
    others = sorted({*sources} - {*core})
    if faults := _compile(folder, others, python) + _compile(folder, core, python, "-o", "2"):
        raise BuildFailed(f"{python} does not compile the folder:\n{faults}", "mend these files, or build with --no-bytecode")
    _bundle(folder)


def _bundle(folder: Path) -> None:
    modules = {}
    tag = ""
    for path in sorted((folder / "flyweight").rglob("*.pyc")):
        name, tag, *_ = path.name.split(".")
        source = path.parent.parent / f"{name}.py"
        if source != folder / "flyweight" / "__init__.py":
            inside = source.relative_to(folder)
            parts = inside.parent.parts if name == "__init__" else inside.with_suffix("").parts
            modules[".".join(parts)] = (inside.as_posix(), path.read_bytes()[HEADER:])
            path.unlink()
    if not modules:  # a function without the core, such as an empty one to compare with
        return
    # a version of marshal without references, which would depend on how often a string happens to be used here
    (folder / "flyweight" / "__pycache__" / f"bundle.{tag}").write_bytes(marshal.dumps(modules, 2))
    for path in (folder / "flyweight").rglob("__pycache__"):
        if not any(path.iterdir()):
            path.rmdir()


def compile_packages(folder: Path, python: str, advance: Callable[[int, int], None]) -> None:
    """Compile the sources of installed packages, each package by a process; templates among them, which do not compile, stay."""
    groups: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        groups.setdefault(inside.parts[0], []).append(str(inside))
    done, total = 0, sum(map(len, groups.values()))
    advance(0, total)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # which wait for processes
        largest_first = sorted(groups.values(), key=lambda sources: (-len(sources), sources))
        ended = threads.map(lambda sources: _compile(folder, sources, python), largest_first)
        for sources, _ in zip(largest_first, ended, strict=True):
            done += len(sources)
            advance(done, total)


def _compile(folder: Path, sources: list[str], python: str, *options: str) -> str:
    """Compile these in one process, and return its complaints."""
    # One process with a fixed hash seed: the order of a set of constants would otherwise change from build to build.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PYTHONHASHSEED": "0"}
    command = [python, "-P", "-m", "compileall", "-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash", "-i", "-"]
    command += options
    done = subprocess.run(command, cwd=folder, input="\n".join(sources), env=environ, capture_output=True, text=True)
    return f"{done.stdout}{done.stderr}" if done.returncode else ""


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    for name in (f"python{version}", "python3", "python"):
        if found := shutil.which(name):
            yield found
    if uv := shutil.which("uv"):
        command = [uv, "python", "find", "--no-project", "--no-python-downloads", version]
        done = subprocess.run(command, capture_output=True, text=True)
        yield from done.stdout.split()
    versions = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
    yield from map(str, sorted(versions, reverse=True))


def version_of(python: str) -> str:
    """The version of an interpreter, as `3.13`; empty if it does not run."""
    report = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-I", "-c", report], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
