"""What each target's runtime gives: a folder goes in, events are answered by a fresh process, figures come out."""

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
    """What a function answered.

    `headers`: names in lower case; `seconds`: from the invocation (the first one: from exec) to the whole answer.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Runtime(ABC):
    """One folder in one fresh process of its target's runtime, started by the first `invoke` and ended by `close`.

    `python`: the interpreter to run it with; `environ`: variables on top of this process's own.
    """

    PACKAGES: tuple[str, ...] = ()  # what implements this runtime, the best first; () where Python alone does
    EXTRA: str = ""  # the extra of flyweight that installs it
    SHAPES: tuple[str, ...] = ("",)  # the forms in which an HTTP request comes to the function, by name; "" is the usual one

    def __init__(
        self, folder: Path, *, python: str = sys.executable, environ: Mapping[str, str] | None = None, timeout: float = 60.0
    ) -> None:
        """:raises RuntimeFailed: the interpreter has none of `PACKAGES`."""
        self.folder = folder.resolve()
        self.python = os.path.abspath(shutil.which(python) or python)  # not resolved: a venv is known by its link
        self.timeout = timeout
        self.description = _versions(self.python, self.PACKAGES)
        if self.PACKAGES and self.description.startswith("on "):
            missing = f"{python} has none of {', '.join(self.PACKAGES)}, hence no {self.EXTRA} runtime"
            raise RuntimeFailed(missing, next_step=f"{installation.command(self.EXTRA)}, for that Python")
        self._environ = dict(environ or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()
        self._disk = tempfile.TemporaryDirectory(prefix="flyweight-")  # a function's own disk, still empty

    @abstractmethod
    def command(self) -> list[str]:
        """The command line of the runtime; it runs in the folder."""

    @abstractmethod
    def variables(self) -> dict[str, str]:
        """The environment that the provider gives a function."""

    @abstractmethod
    def exchange(self, event: Any) -> Answer:
        """One event to the running process, its answer back; `seconds` holds the moment when it was there."""

    @classmethod
    def event(cls, request: Mapping[str, Any], shape: str = "") -> Any:
        """Wrap a plain request in the form in which the target passes it to the function.

        :param request: a plain request, see `flyweight.toolkit.targets.requests`.
        :param shape: one of `SHAPES`.
        :raises RuntimeFailed: there is no such shape, or it can't carry this request.
        """
        if shape not in cls.SHAPES:
            others = ", ".join(name for name in cls.SHAPES if name) or "the usual one, without a name"
            raise RuntimeFailed(f"no HTTP request of this target has the shape {shape!r}", f"choose one of: {others}")
        return cls.wrap(request, shape)

    @classmethod
    def wrap(cls, request: Mapping[str, Any], shape: str) -> Any:
        """Wrap a plain request in one of `SHAPES`; `event` calls it.

        :raises RuntimeFailed: the target takes no HTTP requests, or the shape can't carry this one.
        """
        raise RuntimeFailed("this target takes no HTTP requests", "choose one of its own events, see `flyweight events ls`")

    @staticmethod
    def settings(event: Any) -> dict[str, str]:
        """The variables that an event presupposes; most need none."""
        return {}

    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors that the process inherits."""
        return ()

    def invoke(self, event: Any) -> Answer:
        """The answer to an event in the provider's own form.

        :raises RuntimeFailed: there is no answer; the message says why, with the end of what the process printed.
        """
        began = perf_counter()
        if self._process is None:
            self._start()
        answer = self.exchange(event)
        return Answer(answer.status, answer.headers, answer.body, answer.seconds - began)

    def peak_memory(self) -> int | None:
        """The most memory that the answering process has held, in bytes; None where the system does not say (not Linux)."""
        try:
            status = Path(f"/proc/{self.answering_process()}/status").read_text()
        except OSError:
            return None
        return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), None)

    def answering_process(self) -> int:
        """The id of the process that answers."""
        return self._process.pid if self._process else -1

    def log(self) -> str:
        """All that the process has printed so far."""
        return os.pread(self._log.fileno(), 1 << 24, 0).decode(errors="replace")

    def fail_if_ended(self) -> None:
        """Raise if the process is there no more.

        :raises RuntimeFailed: it has ended.
        """
        if self._process is not None and self._process.poll() is not None:
            raise self.failed(f"the runtime ended with exit status {self._process.returncode}")

    def failed(self, message: str) -> RuntimeFailed:
        """An error with the end of what the process printed."""
        end = "\n".join(self.log().strip().splitlines()[-25:])
        message = f"{message}\n{end}" if end else message
        return RuntimeFailed(message, next_step="mend the function; the end of what it printed is above")

    def close(self) -> None:
        """End the process and all that it started."""
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
        # A function's folder is read-only at its provider; bytecode that a run left behind would make the next one faster.
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
    """The first of `packages` that this interpreter has, with its version, and the interpreter's own.

    :raises RuntimeFailed: the interpreter does not run.
    """
    try:
        done = subprocess.run([python, "-c", VERSIONS, *packages], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeFailed(f"{python} does not run: {error}", next_step="name a Python interpreter") from None
    if "on Python" not in done.stdout:
        raise RuntimeFailed(f"{python} is no Python", next_step="name a Python interpreter")
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
