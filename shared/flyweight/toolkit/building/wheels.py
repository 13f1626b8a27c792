"""Resolve a requirements.txt for the target's system, and install the wheels into a tree, with uv on any machine.

uv uses the package registry of this machine's own configuration. It also accepts wheels for older versions of a platform; pip
does not, and then silently installs old or pure-Python wheels.
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
# uv's error messages and the next step for each; any other error means that the registry can't be reached.
TROUBLES = {
    "No solution found": "try another --python or --arch or other versions (--constraint), or use --no-install",
    "Hash mismatch|no overlapping hashes": "find out why these bytes changed, or build without this --constraint",
    "Couldn't parse": "correct that line; a file for --constraint has one NAME==VERSION per line",
}
UNREACHABLE = "check that the package registry can be reached (UV_DEFAULT_INDEX sets another one for uv), or use --no-install"
HEADER = "# flyweight build"


@dataclass(frozen=True)
class System:
    """The system that wheels must fit: `arch` and `python` as in a build; `older`: its glibc is older than 2.28."""

    arch: str
    python: str
    older: bool = False

    @property
    def platform(self) -> str:
        """The platform's name in uv."""
        return f"{MACHINES[self.arch]}-{'manylinux2014' if self.older else 'manylinux_2_28'}"


def lock(requirements: Path, path: Path, system: System, constraint: Path | None = None) -> list[str]:
    """Resolve a requirements.txt with all dependencies; write the pins with hashes to `path`, and return them.

    :param constraint: a file with versions to use; the hashes in a file that `lock` wrote are verified too.
    :raises BuildFailed: uv is not installed, no versions fit, or the registry does not answer.
    """
    words = ["pip", "compile", "--no-header", "--no-annotate", "--generate-hashes", "--output-file", str(path)]
    words += [] if constraint is None else ["--constraint", str(constraint.resolve())]
    _run([*words, requirements.name], system, requirements.parent)
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{HEADER}: Python {system.python}, {system.platform}; for --constraint\n{text}", encoding="utf-8")
    return re.findall(r"^[^\s#-][^\\\n]*?(?=\s*\\?$)", text, re.MULTILINE)


def install(requirements: Path, locked: Path, place: Path, system: System, constraint: Path | None = None) -> None:
    """Install exactly the wheels that `lock` pinned into the folder `place`, and verify their hashes.

    :raises BuildFailed: the registry does not answer, or its bytes do not have the pinned hashes.
    """
    # copies: with links, trimming would change uv's cache
    words = ["pip", "install", "--no-progress", "--target", str(place), "--link-mode", "copy", "--no-deps"]
    words += [] if constraint is None else ["--constraint", str(constraint.resolve())]  # `lock` ignores its hashes
    words += [word for line in options(requirements) for word in shlex.split(line)]
    _run([*words, "--requirement", str(locked)], system, requirements.parent)


def options(requirements: Path) -> list[str]:
    """List the lines of a requirements.txt that give locations of packages."""
    return [line for line in requirements.read_text(encoding="utf-8").splitlines() if line.startswith("--")]


def made_here(path: Path) -> bool:
    """Tell whether `lock` wrote a file."""
    return path.is_file() and path.read_bytes().startswith(HEADER.encode())


def _run(words: list[str], system: System, folder: Path) -> None:
    """Run uv for the Python of a system.

    :raises BuildFailed: uv fails.
    """
    fits = ["--quiet", "--python", sys.executable, "--only-binary", ":all:"]
    fits += ["--python-platform", system.platform, "--python-version", system.python]
    done = subprocess.run([find_uv(), *words[:2], *fits, *words[2:]], cwd=folder, capture_output=True, text=True)
    if done.returncode == 0:
        return
    complaint = done.stderr.strip() or f"uv exited with status {done.returncode}"
    next_step = next((step for words, step in TROUBLES.items() if re.search(words, complaint)), UNREACHABLE)
    raise BuildFailed(f"no packages for Python {system.python} on {system.platform}:\n{complaint}", next_step=next_step)


def find_uv() -> str:
    """Find uv: installed with this Python, or on the path.

    :raises BuildFailed: uv is not installed.
    """
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise BuildFailed(
            "uv, which resolves wheels for other systems, is not installed",
            next_step="pip install uv, or pass --no-install and install the packages yourself",
        )
    return found
