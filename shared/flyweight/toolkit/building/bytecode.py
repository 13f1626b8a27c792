"""Compile the bytecode of a folder with the Python version that will run it.

By default, bytecode records its source's time. Every deployment tool resets times, so the bytecode would be stale and each cold
start would compile again. Bytecode with an unchecked hash is never compared (https://peps.python.org/pep-0552/).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from flyweight.toolkit.errors import BuildFailed, ToolkitError

# The bytecode of the last builds, as files by the digest of their sources: `plan` builds one folder two or three times. No module
# is kept alone, since the bytes of one depend on what its process has compiled before.
COMPILED: dict[str, dict[str, bytes]] = {}
KEPT = 32


class NoSuchPython(ToolkitError):
    """The requested Python version is not on this machine."""


def interpreter(version: str) -> str:
    """Find the path of a Python of this version, such as `3.13`: this one, one on the path, uv's, or pyenv's.

    :raises NoSuchPython: no such Python is on this machine.
    """
    for candidate in _candidates(version) if re.fullmatch(r"3\.\d+", version) else ():
        if version_of(candidate) == version:
            return candidate
    step = f"install it (uv python install {version}), or build for another version (--python)"
    raise NoSuchPython(f"no Python {version} found on this machine, to compile the function's bytecode", step)


def compile_tree(folder: Path, python: str, bundled: Collection[str] = ()) -> None:
    """Compile every source of `folder`, in an order and under names that do not depend on the folder's path.

    The core's bytecode becomes one file, from which the core imports its modules (`flyweight/__init__.py`). `compiler.py` lists
    what is left out of it.

    :param bundled: the names of the handler's modules whose bytecode is in that file as well; each has its own file too, for
        platforms that import one by its path.

    :raises BuildFailed: a source does not compile.
    """
    sources = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
    key = _key(folder, python, sources, bundled)
    if key in COMPILED:
        for name, code in COMPILED[key].items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(code)
        return
    core = [source for source in sources if source.startswith("flyweight/") and source != "flyweight/__init__.py"]
    others = sorted({*sources} - {*core})
    faults = _compile(folder, others, python)
    if core and not faults:  # a function without the core is an empty one to compare with
        faults = _run(
            [python, "-P", "-X", "no_debug_ranges", str(Path(__file__).with_name("compiler.py"))], folder, [*core, *bundled]
        )
    if faults:
        raise BuildFailed(f"{python} does not compile the folder:\n{faults}", "correct these files, or build with --no-bytecode")
    if len(COMPILED) >= KEPT:
        del COMPILED[next(iter(COMPILED))]
    COMPILED[key] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("__pycache__/*")}


def _key(folder: Path, python: str, sources: Sequence[str], bundled: Collection[str]) -> str:
    """Make a digest of all that bytecode depends on."""
    digest = sha256(repr((python, sources, [*bundled])).encode())
    for source in sources:
        digest.update(sha256((folder / source).read_bytes()).digest())
    return digest.hexdigest()


def join_first(folder: Path, python: str, first: Sequence[str], model: bytes | None = None) -> None:
    """Add to a folder's file of bytecode what a cold start imports, and the code that a warm function makes of the model.

    A folder that can't be imported here stays as it is.

    :param first: the modules that a client of ours imports, the handler the last.
    :param model: the contents of the model file if the folder has none, but an address in a store, which is not asked here.
    """
    command = [python, "-P", "-S", "-X", "no_debug_ranges", str(Path(__file__).with_name("recorder.py"))]
    if model is None:
        _run([*command, "model.safetensors", *first], folder, [])
        return
    with tempfile.TemporaryDirectory() as place:
        stored = Path(place) / "model.safetensors"
        stored.write_bytes(model)
        variables = {"FLYWEIGHT_MODEL": stored.as_uri(), "FLYWEIGHT_CACHE_DIR": str(Path(place) / "cache")}
        _run([*command, str(stored), *first], folder, [], variables)


def compile_packages(folder: Path, python: str, advance: Callable[[int, int], None]) -> None:
    """Compile the sources of installed packages, one process per package; templates, which do not compile, are ignored."""
    groups: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        inside = path.relative_to(folder)
        groups.setdefault(inside.parts[0], []).append(inside.as_posix())
    done, total = 0, sum(map(len, groups.values()))
    advance(0, total)
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the threads only wait for processes
        largest_first = sorted(groups.values(), key=lambda sources: (-len(sources), sources))
        ended = threads.map(lambda sources: _compile(folder, sources, python), largest_first)
        for sources, _ in zip(largest_first, ended, strict=True):
            done += len(sources)
            advance(done, total)


def _compile(folder: Path, sources: list[str], python: str) -> str:
    """Compile these in one process, each to a file of its own, and return its complaints."""
    command = [python, "-P", "-m", "compileall", "-q", "-f", "-j", "1", "--invalidation-mode", "unchecked-hash", "-i", "-"]
    return _run(command, folder, sources)


def _run(command: list[str], folder: Path, sources: list[str], variables: Mapping[str, str] | None = None) -> str:
    """Run a compiler over sources, whose names it reads, and return its complaints."""
    # One process with a fixed hash seed: the order of a set of constants would otherwise change from build to build.
    left_out = ("PYTHON", "FLYWEIGHT_", "AWS_", "_")  # what this process was told is nothing to the function
    environ = {name: value for name, value in os.environ.items() if not name.startswith(left_out)} | {"PYTHONHASHSEED": "0"}
    environ |= variables or {}
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
    """Return the version of an interpreter, such as `3.13`; empty if it does not run."""
    report = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-I", "-c", report], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
