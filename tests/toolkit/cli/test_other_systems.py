"""`pack`, `inspect`, `predict` and `build` use nothing that Windows or macOS lacks: it is hidden from flyweight here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import joblib
import pytest

from flyweight.toolkit.building import bytecode
from tests import fitted
from tests.conftest import PYTHON

# Modules and names that Windows, or macOS, does not have. Other libraries ask for them by the name of the system, and keep them.
PROGRAM = """
import builtins, importlib, sys, types, warnings

ABSENT = {"fcntl", "resource", "pwd", "grp", "termios", "posix", "pty", "tty", "crypt", "spwd", "syslog"}
HIDDEN = {
    "os": "fork forkpty pread preadv pwrite killpg getuid geteuid getgid setsid setpgid getpgid uname sysconf getloadavg"
    " sched_getaffinity sched_setaffinity posix_fadvise O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_SYNC chown mkfifo nice wait3 wait4",
    "signal": "SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGQUIT alarm setitimer pthread_sigmask",
    "time": "clock_gettime CLOCK_BOOTTIME CLOCK_MONOTONIC tzset",
    "socket": "AF_UNIX",
}
real_import, seen = builtins.__import__, set()

def stand_in(name):
    module = importlib.import_module(name)
    made = types.ModuleType(name)
    made.__dict__.update({key: value for key, value in vars(module).items() if key not in HIDDEN[name].split()})
    return made

stand_ins = {name: stand_in(name) for name in HIDDEN}

def hiding(name, globals=None, locals=None, fromlist=(), level=0):
    if (globals or {}).get("__name__", "").partition(".")[0] != "flyweight":
        return real_import(name, globals, locals, fromlist, level)
    seen.add(name)
    if name in ABSENT:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return stand_ins.get(name) or real_import(name, globals, locals, fromlist, level)

builtins.__import__ = hiding
# a file without an encoding is read in that of the system, which is not UTF-8 on Windows; programs do write in that encoding,
# and their warning ends in a full stop
warnings.filterwarnings("error", "'encoding' argument not specified$", EncodingWarning, r"flyweight\\b")
from flyweight.toolkit.cli import main
assert "os" in seen or "flyweight" in sys.modules
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    estimator, table = fitted.penguins()
    joblib.dump(estimator, folder / "penguins.joblib")
    table.head(40).to_csv(folder / "rows.csv", index=False)
    return folder


def elsewhere(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `flyweight` with these words in a fresh process that hides what other systems lack."""
    command = [sys.executable, "-X", "warn_default_encoding", "-c", PROGRAM, *words]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_the_first_hour_works_where_unix_is_not(place: Path) -> None:
    for words in (
        ["pack", "penguins.joblib", "--sample", "rows.csv", "--rows", "50", "-o", "penguins.safetensors"],
        ["inspect", "penguins.joblib"],
        ["inspect", "penguins.safetensors"],
        ["predict", "penguins.safetensors", "rows.csv", "-o", "answers.csv"],
        ["build", "aws", "--model", "penguins.safetensors", "-o", "built", "--python", PYTHON, "--as", "zip"],
        ["events", "request", "--model", "penguins.safetensors"],
        ["deploy", "aws", "--folder", "built", "--dry-run"],
    ):
        done = elsewhere(place, *words)
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"


def test_what_is_hidden_is_missed_where_it_is_used(place: Path) -> None:
    """The test can fail: a lock needs fcntl."""
    (place / "store").mkdir(exist_ok=True)
    probe = PROGRAM.replace("main(sys.argv[1:])", "exec(compile(sys.argv[1], 'x', 'exec'), {'__name__': 'flyweight.probe'})")
    for use in ("import fcntl", "from os import pread", "import os; os.fork", "import signal; signal.SIGKILL"):
        done = subprocess.run([sys.executable, "-c", probe, use], cwd=place, capture_output=True, text=True)
        assert done.returncode == 1 and "Error" in done.stderr, use


class Folder(PureWindowsPath):
    """A folder on Windows, with a function and a part of the core."""

    def rglob(self, pattern: str) -> list[Folder]:
        names = ("app.py", r"flyweight\__init__.py", r"flyweight\models\__init__.py") if pattern == "*.py" else ()
        return [self / name for name in names]

    def read_bytes(self) -> bytes:
        return b""


def test_the_core_is_compiled_under_names_with_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    monkeypatch.setattr(bytecode, "COMPILED", {})
    monkeypatch.setattr(bytecode, "_run", lambda command, folder, sources: given.append(sources) or "")
    bytecode.compile_tree(Folder(r"C:\built"), "python")  # type: ignore[arg-type]
    assert given == [["app.py", "flyweight/__init__.py"], ["flyweight/models/__init__.py"]]
