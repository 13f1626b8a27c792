"""A built tree to whether its model answers in it as it did when it was packed: in a fresh Python that sees nothing else."""

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
sys.exit(0 if loaded.passes_self_test() else 'the recorded sample answers otherwise than it did when the model was packed')
"""


@dataclass(frozen=True)
class Proof:
    """Whether the model's sample was answered in the tree, or else why it was not tried."""

    proven: bool
    words: str


def prove(
    places: list[Path], model: bytes, python: str | None, *, reason: str = "", packages: str = "", where: str = "the built folder"
) -> Proof:
    """Let the model's recorded sample be answered with nothing but `places` on the path.

    :param python: the interpreter; None if no Python of that version is on this machine.
    :param reason: why it can't run here, if it can't.
    :param packages: modules that have to come in as well, by spaces.
    :param where: what `places` are, in words.
    :raises BuildFailed: it does not answer, or otherwise than at packing.
    """
    if reason or python is None:
        return Proof(False, reason or "the target's Python is not on this machine")
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(model)
        file.flush()
        arguments = ["\n".join(map(str, places)), file.name, packages]
        done = subprocess.run([python, *FLAGS, "-c", PROGRAM, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        complaint = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        hint = "pack the model with the versions that its packages have here, or build with --no-install and look into the folder"
        raise BuildFailed(f"the model does not answer in the built folder: {complaint}", next_step=hint)
    return Proof(True, f"the model's recorded sample was answered in {where}, by a Python that saw nothing else")


def elsewhere(arch: str) -> str:
    """Why packages for an architecture can't be run on this machine; empty if they can."""
    here = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "AMD64": "x86_64"}.get(platform.machine(), "another")
    if sys.platform != "linux":
        return f"its packages are for Linux, and this machine runs {sys.platform}"
    return "" if here == arch else f"its packages are for {arch}, and this machine is {platform.machine()}"
