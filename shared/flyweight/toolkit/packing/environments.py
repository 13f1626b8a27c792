"""Environments with the versions that fitted an estimator, made by uv and kept; `flyweight pack` runs in them as it does here."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from flyweight.toolkit import installation
from flyweight.toolkit.building.bytecode import NoSuchPython, interpreter
from flyweight.toolkit.building.wheels import find_uv
from flyweight.toolkit.errors import BuildFailed, ToolkitError

INSIDE = "FLYWEIGHT_PACKING_FOR"  # set in such an environment: there no other is made
OLDEST = 11  # the minor version of the oldest Python that flyweight runs on
_MAIN = "from flyweight.toolkit.cli import main; main(prog_name='flyweight')"
_UNSOLVED = re.compile("No solution found|no usable wheels|No matching|requires-python|no wheels", re.IGNORECASE)


class EnvironmentFailed(ToolkitError):
    """An environment that can't be made or used; the next step gives the commands that make it by hand."""


@dataclass(frozen=True)
class Environment:
    """An environment of another Python.

    :param python: the path of its interpreter.
    """

    python: Path

    def run(self, arguments: Sequence[str], show: Callable[[str], None], show_error: Callable[[str], None]) -> int:
        """Run `flyweight` there with these arguments, in the current folder.

        :param show: takes its standard output.
        :param show_error: takes the lines of its standard error, as they come.
        :returns: its exit status.
        """
        shown = sys.stderr.isatty()  # then its progress is drawn on the terminal itself
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            child = subprocess.Popen(
                [str(self.python), "-P", "-c", _MAIN, *arguments],
                stdout=output,
                stderr=None if shown else subprocess.PIPE,
                env={**os.environ, INSIDE: str(self.python), "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "ignore"},
                text=True,
                encoding="utf-8",
            )
            for line in child.stderr or ():
                show_error(line.rstrip("\n"))
            child.wait()
            output.seek(0)
            show(output.read())
        return child.returncode


def is_inside() -> bool:
    """Check whether this process runs in an environment that was made or named for one estimator."""
    return INSIDE in os.environ


def given(place: str | Path, requirements: Sequence[str]) -> Environment:
    """Take an environment of the user's: its folder, or its Python.

    :param requirements: what it has to have installed, for the message.
    :raises EnvironmentFailed: none exists, or flyweight is not installed in it.
    """
    path = Path(place).expanduser()
    python = next((one for one in (path / "bin/python", path / "Scripts/python.exe", path) if one.is_file()), None)
    if python is None:
        raise EnvironmentFailed(f"{place} is neither a Python environment nor a Python", by_hand(requirements))
    python = Path(os.path.abspath(python))  # not resolved: an environment is known by the link's place
    if subprocess.run([str(python), "-P", "-c", "import flyweight.toolkit.cli"], capture_output=True).returncode:
        step = f"uv pip install --python {shlex.quote(str(python))} {shlex.join(_ours())}"
        raise EnvironmentFailed(f"flyweight is not installed in {place}", step)
    return Environment(python)


def made(requirements: Sequence[str], progress: Callable[[str, int, int], None]) -> Environment:
    """Find the environment with these requirements in the cache, or make it.

    :param requirements: as `scikit-learn==1.5.2`; flyweight itself is added.
    :raises EnvironmentFailed: uv is missing, no Python has wheels of these versions, or the registry does not answer.
    """
    folder = cache() / _key(requirements)
    python = _python_of(folder)
    if not python.is_file():
        try:
            uv = find_uv()
        except BuildFailed:
            raise EnvironmentFailed(
                "uv, which makes environments, is not installed", f"pip install uv; or {by_hand(requirements)}"
            ) from None
        _make(uv, folder, requirements, progress)
    return Environment(python)


def cache() -> Path:
    """Get the folder that keeps environments: the setting FLYWEIGHT_ENVIRONMENTS, or one in the user's cache."""
    if setting := os.environ.get("FLYWEIGHT_ENVIRONMENTS"):
        return Path(setting).expanduser().absolute()
    base = os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.environ.get("XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "flyweight" / "environments"


def by_hand(requirements: Sequence[str], python: str = "3.11", arguments: Sequence[str] = ()) -> str:
    """Write the commands that make an environment with these requirements and pack in it."""
    told = shlex.join(["flyweight", *(arguments or ["pack", "FILE"]), "--environment", "fitted-with"])
    return (
        f"uv venv --python {python} fitted-with && "
        f"uv pip install --python fitted-with {shlex.join([*requirements, *_ours()])} && {told}"
    )


def _make(uv: str, folder: Path, requirements: Sequence[str], progress: Callable[[str, int, int], None]) -> None:
    """Make an environment beside its place, and move it there when it is complete.

    Wheels tell which Pythons a version is for: this one is tried first, then older ones.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    for version in _pythons():
        place = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
        try:
            progress(f"making an environment with Python {version}", 0, 0)
            if complaint := _run([uv, "venv", "--quiet", "--clear", "--python", _interpreter(version), str(place)]):
                complaints.append(f"Python {version}: {complaint}")
                continue
            progress(f"installing {', '.join(requirements)} for Python {version}", 0, 0)
            words = [uv, "pip", "install", "--quiet", "--python", str(_python_of(place)), "--only-binary", ":all:"]
            complaint = _run([*words, "--no-binary", "flyweight", *_ours(), *requirements])
            if not complaint:
                if not folder.exists():  # else another process was quicker
                    place.rename(folder)
                return
            complaints.append(f"Python {version}: {complaint}")
            if not _UNSOLVED.search(complaint):
                break
        finally:
            shutil.rmtree(place, ignore_errors=True)
    last = complaints[-1]
    if _UNSOLVED.search(last):
        message = f"no Python that flyweight runs on has wheels of {', '.join(requirements)}\n{last}"
        raise EnvironmentFailed(message, "fit the estimator again with a newer version, and pack that")
    raise EnvironmentFailed(f"no environment with {', '.join(requirements)} can be made\n{last}", by_hand(requirements))


def _pythons() -> list[str]:
    """List the versions of Python to try: this one, then older ones, then newer ones that flyweight knows."""
    here = sys.version_info.minor
    return [f"3.{minor}" for minor in [*range(here, OLDEST - 1, -1), *range(here + 1, 15)]]


def _interpreter(version: str) -> str:
    """Find a Python of this version on this machine; else its version, which uv itself looks for, and downloads."""
    try:
        return interpreter(version)
    except NoSuchPython:
        return version


def _run(words: Sequence[str]) -> str:
    """Run uv.

    :returns: what it complains about; empty if it succeeds.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    return "" if done.returncode == 0 else done.stderr.strip()[-2000:] or f"uv exited with status {done.returncode}"


def _python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _ours() -> list[str]:
    """Write the words that install this flyweight, with what reads samples of the forms that are read here."""
    return installation.arguments(
        "toolkit", *(["files"] if find_spec("pyarrow") else []), *(["sklearn"] if find_spec("skops") else [])
    )


def _key(requirements: Sequence[str]) -> str:
    """Name an environment by all that determines it; an editable checkout counts by its place alone."""
    readable = "-".join(re.sub(r"[^A-Za-z0-9.]+", "", one) for one in requirements)[:60]
    determined = "\n".join([*sorted(requirements), *_ours(), sys.platform, str(sys.version_info[:2])])
    return f"{readable}-{hashlib.sha256(determined.encode()).hexdigest()[:12]}"
