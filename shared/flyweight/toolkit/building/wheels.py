"""A requirements.txt to the versions that fit the target's system, and to a tree of their wheels, by uv on any machine.

uv asks the registry that this machine's own configuration names. It widens a platform to the older ones by itself; pip does
not, and then silently takes old wheels, or pure-Python ones.
"""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flyweight.toolkit.errors import BuildFailed

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# What uv complains of, and what to do then; anything else is a registry that can't be asked.
TROUBLES = {
    "No solution found": "try another --python or --arch or other versions (--constraint), or use --no-install",
    "Hash mismatch|no overlapping hashes": "find out who changed these bytes, or build without that --constraint",
    "Couldn't parse": "mend that line; a file for --constraint has a NAME==VERSION a line",
}
UNREACHABLE = "see that the package registry can be reached (uv's setting UV_DEFAULT_INDEX names another), or use --no-install"
HEADER = "# flyweight build"


@dataclass(frozen=True)
class System:
    """What wheels have to fit: `arch` and `python` as a build names them; `older`: its glibc is older than 2.28."""

    arch: str
    python: str
    older: bool = False

    @property
    def platform(self) -> str:
        """As uv names it."""
        return f"{MACHINES[self.arch]}-{'manylinux2014' if self.older else 'manylinux_2_28'}"


def lock(requirements: Path, path: Path, system: System, constraint: Path | None = None) -> list[str]:
    """Resolve what a requirements.txt lists and all that it needs in turn; write `path`, with hashes, and return the pins.

    :param constraint: a file of versions to keep to; what `lock` wrote is one, whose hashes then hold as well.
    :raises BuildFailed: uv is not here, nothing fits, or the registry does not answer.
    """
    words = ["pip", "compile", "--no-header", "--no-annotate", "--generate-hashes", "--output-file", str(path)]
    words += [] if constraint is None else ["--constraint", str(constraint.resolve())]
    _run([*words, requirements.name], system, requirements.parent)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{HEADER}: Python {system.python}, {system.platform}; for --constraint\n{text}", encoding="utf-8")
    return re.findall(r"^[^\s#-][^\\\n]*?(?=\s*\\?$)", text, re.MULTILINE)


def install(requirements: Path, locked: Path, place: Path, system: System, constraint: Path | None = None) -> None:
    """Put the wheels that `lock` found for a requirements.txt into the folder `place`, and only those, if their hashes are right.

    :raises BuildFailed: the registry does not answer, or gives other bytes than it or the constraint says.
    """
    # a link would reach into uv's cache when we trim
    words = ["pip", "install", "--no-progress", "--target", str(place), "--link-mode", "copy", "--no-deps"]
    words += [] if constraint is None else ["--constraint", str(constraint.resolve())]  # whose hashes `lock` passes over
    words += [word for line in options(requirements) for word in shlex.split(line)]
    _run([*words, "--requirement", str(locked)], system, requirements.parent)


def options(requirements: Path) -> list[str]:
    """The lines of a requirements.txt that say where packages are."""
    return [line for line in requirements.read_text(encoding="utf-8").splitlines() if line.startswith("--")]


def made_here(path: Path) -> bool:
    """Whether a file is what `lock` wrote."""
    return path.is_file() and path.read_bytes().startswith(HEADER.encode())


def _run(words: list[str], system: System, folder: Path) -> None:
    """Run uv for a system's Python.

    :raises BuildFailed: uv finds no packages.
    """
    fits = ["--quiet", "--python", sys.executable, "--only-binary", ":all:"]
    fits += ["--python-platform", system.platform, "--python-version", system.python]
    done = subprocess.run([_uv(), *words[:2], *fits, *words[2:]], cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        return
    complaint = done.stderr.strip() or f"uv ended with {done.returncode}"
    next_step = next((step for words, step in TROUBLES.items() if re.search(words, complaint)), UNREACHABLE)
    raise BuildFailed(f"no packages for Python {system.python} on {system.platform}:\n{complaint}", next_step=next_step)


def _uv() -> str:
    """The path of uv: the one installed beside this Python, or on the path.

    :raises BuildFailed: uv is not installed.
    """
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise BuildFailed(
            "uv, which finds wheels for other machines, is not installed",
            next_step="pip install uv, or pass --no-install and install the packages yourself",
        )
    return found
