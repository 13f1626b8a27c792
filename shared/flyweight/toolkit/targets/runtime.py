"""The interface of the facet `runtime`: run a folder in a fresh process of the target's runtime, and send it events."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from flyweight.toolkit import installation
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.requests import body_of

VERSIONS = """
import platform, sys
from importlib.metadata import PackageNotFoundError, version
for package in sys.argv[1:]:
    try:
        print(package, version(package), end=" ")
        break
    except PackageNotFoundError:
        pass
print("on Python", platform.python_version())
"""


@dataclass(frozen=True)
class Answer:
    """A function's answer.

    `headers`: names in lower case; `seconds`: from the invocation (for the first one, from exec) to the complete answer.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Runtime(ABC):
    """One folder in one fresh process of its target's runtime, started by the first `invoke` and ended by `close`.

    `python`: the interpreter to use; `environ`: variables in addition to this process's own.
    """

    PACKAGES: tuple[str, ...] = ()  # implementations of this runtime, the preferred first; () if it needs no package
    EXTRA: str = ""  # the extra of flyweight that installs them
    CLIENTS: Mapping[str, Mapping[str, str]] = {"platform": {}}  # what can run a function, and the variables that choose it
    EMPTY: Mapping[str, str] = {}  # the source of a function that answers any event with {}, by file name: to compare with
    WAITS: bool = True  # whether a request waits for the model of a store, or answers by the one that was fetched before
    SHAPES: tuple[str, ...] = ("",)  # the names of the forms of an HTTP event; "" is the usual one
    MAX_REQUEST = MAX_ANSWER = 1 << 62  # bytes that the platform carries to the function and back; `limits.json` has the sources

    def __init__(
        self, folder: Path, *, python: str = sys.executable, environ: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        """:raises RuntimeFailed: the interpreter has none of `PACKAGES`."""
        self.folder = folder.resolve()
        self.python = os.path.abspath(shutil.which(python) or python)  # not resolved: a venv is recognized by its link
        self.timeout = timeout
        self.description = _versions(self.python, self.PACKAGES)
        if self.PACKAGES and self.description.startswith("on "):
            missing = f"the {self.EXTRA} runtime needs {' or '.join(self.PACKAGES)}, which {python} does not have"
            raise RuntimeFailed(missing, next_step=f"{installation.command(self.EXTRA)}, for that Python")
        self._environ = dict(environ or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()
        self._disk = tempfile.TemporaryDirectory(prefix="flyweight-")  # the function's disk, empty at first

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line of the runtime; it runs in the folder."""

    @abstractmethod
    def variables(self) -> dict[str, str]:
        """Return the environment that the provider sets for a function."""

    @abstractmethod
    def exchange(self, event: Any) -> Answer:
        """Send an event to the running process, and return its answer; `seconds` is the time of its arrival."""

    @classmethod
    def missing(cls) -> str:
        """Say what the runtime needs beside an interpreter with its packages and is not installed, "" if all is there."""
        return ""

    @classmethod
    def client(cls, name: str) -> Mapping[str, str]:
        """Return the environment variables that choose what runs a function.

        :param name: one of `CLIENTS`.
        :raises RuntimeFailed: the target has no such client.
        """
        if name not in cls.CLIENTS:
            raise RuntimeFailed(f"this target has no client {name!r}", f"choose one of: {', '.join(cls.CLIENTS)}")
        return cls.CLIENTS[name]

    @classmethod
    def empty(cls, folder: Path) -> "type[Runtime]":
        """Write a function that does nothing into a folder, and return the runtime of the platform's own that runs it.

        :raises RuntimeFailed: the target has no such function.
        """
        if not cls.EMPTY:
            step = f"write its source as {cls.__module__}.Runtime.EMPTY"
            raise RuntimeFailed("this target has no empty function to compare with", next_step=step)
        for name, source in cls.EMPTY.items():
            (folder / name).write_text(source, encoding="utf-8")
        return cls

    @classmethod
    def event(cls, request: Mapping[str, Any], shape: str = "") -> Any:
        """Convert a plain request to the event that the target passes to the function.

        :param request: a plain request, see `flyweight.toolkit.targets.requests`.
        :param shape: one of `SHAPES`.
        :raises RuntimeFailed: the shape does not exist, or can't carry this request.
        """
        if shape not in cls.SHAPES:
            others = ", ".join(name for name in cls.SHAPES if name) or "the usual one, without a name"
            raise RuntimeFailed(f"no HTTP request of this target has the shape {shape!r}", f"choose one of: {others}")
        return cls.wrap(request, shape)

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Convert a plain request to an event in one of `SHAPES`; `event` calls this.

        :raises RuntimeFailed: the target takes no HTTP requests, or the shape can't carry this one.
        """
        raise RuntimeFailed("this target takes no HTTP requests", "choose one of the target's events, see `flyweight events ls`")

    @staticmethod
    def settings(event: Any) -> dict[str, str]:
        """Return the environment variables that an event needs; usually none."""
        return {}

    @classmethod
    def carrier(cls, event: Any) -> tuple[str, int]:
        """Name what carries an event to the function, and the most bytes that it carries."""
        return "the platform", cls.MAX_REQUEST

    @staticmethod
    def size(event: Any) -> int:
        """Count the bytes of an event as they are carried: usually those of the body."""
        return len(body_of(event)) if isinstance(event, dict) else 0

    def descriptors(self) -> tuple[int, ...]:
        """Return the file descriptors that the process inherits."""
        return ()

    def invoke(self, event: Any) -> Answer:
        """Return the answer to an event in the provider's own form.

        :raises RuntimeFailed: the function does not answer, or the platform carries no event or answer of this size; the message
            gives the reason and the end of the process's output.
        """
        carrier, limit = self.carrier(event)
        size = self.size(event)
        if size > limit:
            message = f"the event has {size} bytes, and {carrier} carries at most {limit}"
            raise RuntimeFailed(message, next_step="send less at once, for example fewer instances, or compress the body")
        began = perf_counter()
        if self._process is None:
            self._start()
        answer = self.exchange(event)
        if len(answer.body) > self.MAX_ANSWER:
            raise self.failed(f"the answer has {len(answer.body)} bytes, and {carrier} carries at most {self.MAX_ANSWER}")
        return Answer(answer.status, answer.headers, answer.body, answer.seconds - began)

    def peak_memory(self) -> int | None:
        """Return the peak memory of the answering process in bytes; None if the system is not Linux."""
        try:
            status = Path(f"/proc/{self.answering_process()}/status").read_text()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), None)

    def answering_process(self) -> int:
        """Return the id of the process that answers."""
        return self._process.pid if self._process else -1

    def log(self) -> str:
        """Return the output of the process up to now."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def fail_if_ended(self) -> None:
        """Check that the process still runs.

        :raises RuntimeFailed: it has exited.
        """
        if self._process is not None and self._process.poll() is not None:
            raise self.failed(f"the runtime exited with status {self._process.returncode}")

    def failed(self, message: str) -> RuntimeFailed:
        """Create an error with the end of the process's output."""
        end = "\n".join(self.log().strip().splitlines()[-25:])
        message = f"{message}\n{end}" if end else message
        return RuntimeFailed(message, next_step="correct the function; the end of its output is above")

    def close(self) -> None:
        """Stop the process and its children."""
        if self._process is not None:
            _end_group(self._process)
            self._process = None
        self._log.close()
        self._disk.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        # A function's folder is read-only at its provider; bytecode written by one run would make the next one faster.
        inherited = {"FLYWEIGHT_CACHE_DIR": f"{self._disk.name}/cache", **inherited}
        variables = {**inherited, "PYTHONDONTWRITEBYTECODE": "1", **self.variables(), **self._environ}
        self._process = subprocess.Popen(
            self.command(),
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            pass_fds=self.descriptors(),
            start_new_session=True,  # so that `close` reaches the children as well
        )


@cache
def _versions(python: str, packages: tuple[str, ...]) -> str:
    """Return the first of `packages` that this interpreter has, with its version and the interpreter's.

    :raises RuntimeFailed: the interpreter does not run.
    """
    try:
        done = subprocess.run([python, "-c", VERSIONS, *packages], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeFailed(f"{python} can't be run: {error}", next_step="give a Python interpreter") from None
    if "on Python" not in done.stdout:
        raise RuntimeFailed(f"{python} is not a Python interpreter", next_step="give a Python interpreter")
    return done.stdout.strip()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
