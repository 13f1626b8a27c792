"""Pyodide, which is CPython as WebAssembly: its version, its files, and where node finds them on this machine.

https://pyodide.org/en/stable/usage/downloading-and-deploying.html says which files a page needs.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from flyweight.toolkit.errors import BuildFailed, RuntimeFailed

VERSION = "314.0.7"  # with CPython 3.14
ADDRESS = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"  # https://pyodide.org/en/stable/usage/quickstart.html
# what a page loads, and the sha256 of each in the npm package
FILES = {
    "pyodide.mjs": "6f1d60f7bf529beb300f0f47983c921d3982363640ba20af0e38efdddbc66109",
    "pyodide.asm.mjs": "f7cdc8ece80678ceb712f8e65ebe6d3a83203a180c399865f49612a051693635",
    "pyodide.asm.wasm": "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6",
    "python_stdlib.zip": "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a",
    "pyodide-lock.json": "5dc2fc119108bc148c7457dc86e7675b5c87e1cafd420b9c34c1eaef7b36c010",
}
MODEL = "model.safetensors"  # in a built folder
WHERE = "try { console.log(require('path').dirname(require.resolve('pyodide/package.json'))) } catch {}"


def found() -> Path | None:
    """Return the folder of the npm package `pyodide` that node finds from the working folder, None without it or without node."""
    node = shutil.which("node")
    if node is None:
        return None
    done = subprocess.run([node, "-e", WHERE], capture_output=True, text=True)
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def missing() -> str:
    """Say what a run in Pyodide on this machine needs and does not have, "" if all is there."""
    if shutil.which("node") is None:
        return "node is not installed"
    return "" if found() else f"node does not find the npm package pyodide {VERSION}"


def required() -> Path:
    """Return the folder of the npm package.

    :raises RuntimeFailed: node, or the package, is not installed.
    """
    folder = found()
    if folder is None:
        raise RuntimeFailed(missing(), f"install node 20 or later, then run: npm install pyodide@{VERSION}")
    return folder


def refuse_unfit(folder: Path, place: str) -> None:
    """Check that a Python alone, without a network, can answer for what is in a folder.

    :param place: where that Python is, in words.
    :raises BuildFailed: the model comes from a store, or needs packages.
    """
    if not (folder / MODEL).is_file():
        raise BuildFailed(f"{place} reads no store", "fetch the model: flyweight pull ADDRESS; then give its file")
    if (folder / "requirements.txt").is_file():
        lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
        needs = ", ".join(line for line in lines if line and not line.startswith("#"))
        raise BuildFailed(
            f"{place} has Python alone, and this needs {needs}", "pack the model for the engine pure, if it has one"
        )


def copy(folder: Path, goal: Path) -> None:
    """Copy the files that a page loads to a folder that is made for them.

    :param folder: of the npm package.
    :raises BuildFailed: a file is missing, or is not that of this version.
    """
    goal.mkdir()
    for name, expected in FILES.items():
        data = (folder / name).read_bytes() if (folder / name).is_file() else b""
        if hashlib.sha256(data).hexdigest() != expected:
            step = f"run: npm install pyodide@{VERSION}; or remove it, and the page loads Pyodide from {ADDRESS}"
            raise BuildFailed(f"{folder / name} is not that of Pyodide {VERSION}", step)
        (goal / name).write_bytes(data)
