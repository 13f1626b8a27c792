"""Our server with two models, and what runs a script with a real client in the environment of that client."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.protocols.conftest import caller, packed

__all__ = ["caller", "packed"]
PORT = "8080"  # of the server on the pages
SCRIPTS = Path(__file__).with_name("scripts")
MAIN = "from flyweight.toolkit.cli import main; main()"
Run = Callable[..., Any]


def environment(name: str) -> Path:
    """The Python of a client's environment; the test is skipped, in words, where it is not made."""
    python = ROOT / ".tools" / f"clients-{name}" / "bin" / "python"
    if not (python.parents[1] / "installed.txt").exists():
        pytest.skip(f"the client {name} is not installed; run: .ci/install-clients {name}")
    return python


@pytest.fixture(scope="session")
def served(penguins: Path, packed: Callable[..., Path]) -> Iterator[Callable[..., str]]:
    """Where our server answers: `penguins`, a mixed table, is the default model, and `numbers` takes three numbers.

    An argument is the setting of the protocols; without it native is first, and all others are behind it.
    """
    with ExitStack() as stack:

        @cache
        def start(protocols: str = "") -> str:
            settings = {"FLYWEIGHT_MODELS": f"numbers={packed('numbers')}", "FLYWEIGHT_PROTOCOLS": protocols}
            return stack.enter_context(server(penguins, settings))

        yield start


@contextmanager
def server(model: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run our server, and give its address."""
    command = [sys.executable, "-P", "-c", MAIN, "serve", str(model), "--port", "0", "--json"]
    environ = {**os.environ, **settings, "PYTHONPATH": str(ROOT / "shared")}
    # its log goes to a file, because a pipe that nobody reads would stop it
    with NamedTemporaryFile("r+") as log, subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log) as process:
        found = None
        while found is None:
            assert process.poll() is None, Path(log.name).read_text()[-3000:]
            found = re.search(r'"url": "(.*?)"', Path(log.name).read_text())
            time.sleep(0.1)
        yield found[1]
        process.terminate()


@pytest.fixture(scope="session")
def run(served: Callable[..., str]) -> Run:
    """Run the script of a client, which prints one JSON document, or a program of a page, and give what it printed.

    Both ask our server: the script by its argument, the program where it names PORT.
    """

    def ran(name: str, program: str = "", protocols: str = "") -> Any:
        python, url = environment(name), served(protocols)
        words = ["-c", program.replace(PORT, url.rpartition(":")[2])] if program else ["-P", str(SCRIPTS / f"{name}.py"), url]
        done = subprocess.run([str(python), *words], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1]) if not program else done.stdout

    return ran
