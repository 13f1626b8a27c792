"""Verify that a model answers in a built tree as it did when it was packed, in a fresh Python that sees nothing else."""

import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flyweight.toolkit.errors import BuildFailed

# -I: no variables, no user's packages, not this folder. -S: no site-packages. -B: the tree stays as it is.
FLAGS = ["-I", "-S", "-B"]
PROGRAM = """
import sys
places, model, packages = sys.argv[1].split('\\n'), sys.argv[2], sys.argv[3].split()
sys.path[:0] = places
from flyweight.predictor import load
for package in packages:
    __import__(package)
loaded = load(model)
assert 'flyweight' in sys.modules and sys.modules['flyweight'].__file__.startswith(places[0])
sys.exit(0 if loaded.passes_self_test() else 'the answers to the recorded sample differ from those at packing')
"""


@dataclass(frozen=True)
class Proof:
    """The result of the check: whether the answers were verified, and how, or why they were not."""

    proven: bool
    words: str


def prove(
    places: list[Path], model: bytes, python: str | None, *, reason: str = "", packages: str = "", where: str = "the built folder"
) -> Proof:
    """Predict the model's recorded sample with only `places` on the path, and compare the answers with the recorded ones.

    :param python: the interpreter; None if no Python of that version is on this machine.
    :param reason: why the tree can't run on this machine; empty if it can.
    :param packages: further modules that must be importable, separated by spaces.
    :param where: a description of `places`.
    :raises BuildFailed: the model fails, or its answers differ.
    """
    if reason or python is None:
        return Proof(False, reason or "the target's Python is not on this machine")
    with tempfile.TemporaryDirectory() as place:  # Windows lets no other process open a temporary file that is open here
        file = Path(place) / "model.safetensors"
        file.write_bytes(model)
        arguments = ["\n".join(map(str, places)), str(file), packages]
        done = subprocess.run([python, *FLAGS, "-c", PROGRAM, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        complaint = (done.stderr.strip().splitlines() or ["no error message"])[-1]
        hint = (
            "pack the model again with the package versions of this build, or inspect the folder after a build with --no-install"
        )
        raise BuildFailed(f"the model fails in the built folder: {complaint}", next_step=hint)
    return Proof(True, f"the model answered its recorded sample in {where}, in a Python without other packages")


def elsewhere(arch: str) -> str:
    """Explain why packages for an architecture can't run on this machine; empty if they can."""
    here = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "AMD64": "x86_64"}.get(platform.machine(), "another")
    if sys.platform != "linux":
        return f"its packages are for Linux, and this machine runs {sys.platform}"
    return "" if here == arch else f"its packages are for {arch}, and this machine is {platform.machine()}"
