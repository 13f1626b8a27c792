"""A requirements.txt to a tree of wheels for the target's system, resolved by uv on any machine.

uv asks whatever registry this machine's own configuration names. It widens a platform to the older ones by itself; pip does
not, and then silently takes old wheels, or pure-Python ones.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from flyweight.toolkit.build.errors import BuildFailed

MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


def install(requirements: Path, place: Path, arch: str, python: str, older: bool, constraint: Path | None = None) -> None:
    """Put the wheels of what a requirements.txt lists, and all that they need, into the folder `place`.

    :param older: whether the target's system is older than glibc 2.28.
    :param constraint: a file of versions to keep to, so that a later build takes the same.
    :raises BuildFailed: uv is not here, or finds no wheels that fit.
    """
    platform = f"{MACHINES[arch]}-{'manylinux2014' if older else 'manylinux_2_28'}"
    command = [_uv(), "pip", "install", "--quiet", "--no-progress", "--target", str(place), "--python", sys.executable]
    command += ["--python-platform", platform, "--python-version", python, "--only-binary", ":all:"]
    command += ["--link-mode", "copy", "--requirement", str(requirements)]  # a link would reach into uv's cache when we trim
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        told = done.stderr.strip() or f"uv ended with {done.returncode}"
        hint = "try another --python or --arch, or pass --no-install and install them yourself"
        raise BuildFailed(f"no wheels for Python {python} on {platform}:\n{told}", next_step=hint)


def _uv() -> str:
    """The path of uv: the one installed beside this Python, or on the path."""
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
