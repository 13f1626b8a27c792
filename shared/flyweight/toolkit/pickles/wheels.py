"""What the usual way, the pickle and its libraries in a function, would meet on each provider: wheels and size."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from flyweight.errors import FlyweightError


@dataclass(frozen=True)
class Runtime:
    """One Python as one provider runs it: what wheels have to fit."""

    provider: str
    python: str
    machine: str
    glibc: tuple[int, int]
    system: str
    limit: int | None  # bytes of code and libraries that it takes, unzipped

    def __str__(self) -> str:
        return f"{self.provider} {self.python} {self.machine}"

    def platforms(self) -> list[str]:
        """The platform tags that fit, newest first (PEP 600); all of them, since pip widens no `manylinux_2_N` itself."""
        major, minor = self.glibc
        oldest = {"x86_64": 5, "aarch64": 17}[self.machine]
        tags = [f"manylinux_{major}_{minor}_{self.machine}" for minor in range(minor, oldest - 1, -1)]
        legacy = {5: ["manylinux2014", "manylinux2010", "manylinux1"], 17: ["manylinux2014"]}[oldest]
        return tags + [f"{name}_{self.machine}" for name in legacy] + [f"linux_{self.machine}"]


# The operating systems are the providers' (AWS: its announcement of Python 3.12, the first on Amazon Linux 2023; Azure: the
# folders of its images' sources; Google: its stack google-22); the C library's version is that of the system's release.
_AL2 = ((2, 26), "Amazon Linux 2")
_AL2023 = ((2, 34), "Amazon Linux 2023")
_JAMMY = ((2, 35), "Ubuntu 22.04")
_BULLSEYE = ((2, 31), "Debian 11")
_BOOKWORM = ((2, 36), "Debian 12")
# Lambda's limit counts layers in; Google states none for its second generation, and no page of Azure's that states one was found
LIMIT = 250 * 2**20
_LIMITS = {"aws": LIMIT}
RUNTIMES = tuple(
    Runtime(provider, python, machine, *system, _LIMITS.get(provider))
    for provider, python, machines, system in (
        ("aws", "3.11", ("x86_64", "aarch64"), _AL2),
        ("aws", "3.12", ("x86_64", "aarch64"), _AL2023),
        ("aws", "3.13", ("x86_64", "aarch64"), _AL2023),
        ("gcp", "3.11", ("x86_64",), _JAMMY),
        ("gcp", "3.12", ("x86_64",), _JAMMY),
        ("gcp", "3.13", ("x86_64",), _JAMMY),
        ("azure", "3.11", ("x86_64",), _BULLSEYE),
        ("azure", "3.12", ("x86_64",), _BOOKWORM),
        ("azure", "3.13", ("x86_64",), _BOOKWORM),
    )
    for machine in machines
)


@dataclass(frozen=True)
class Size:
    """What libraries take unzipped: their files without bytecode, by distribution."""

    distributions: dict[str, tuple[str, int]]  # name -> version, bytes
    absent: tuple[str, ...]
    measured: str  # on what

    @property
    def bytes(self) -> int:
        """All of them."""
        return sum(count for _, count in self.distributions.values())


def installed_size(distributions: Iterable[str]) -> Size:
    """The size of these distributions and all that they need, from what is installed here."""
    found: dict[str, tuple[str, int]] = {}
    absent, waiting = dict[str, None](), [*distributions]
    for name in waiting:  # grows as it goes
        key = _key(name)
        if key in found or key in absent:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name in distributions:  # else it is needed on other systems only
                absent[key] = None
            continue
        files = [file for file in distribution.files or [] if file.suffix != ".pyc"]
        found[key] = (distribution.version, sum(file.size or 0 for file in files))
        needs = [need for need in distribution.requires or [] if "extra ==" not in need]
        waiting.extend(re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in needs)
    return Size(found, tuple(absent), "what is installed here")


@dataclass(frozen=True)
class Wheels:
    """Whether everything can be installed on a runtime without compiling: `chosen` is name -> version, `problem` says why not."""

    runtime: Runtime
    chosen: dict[str, str]
    problem: str | None


class RegistryUnreachable(FlyweightError):
    """The package registry that pip is set up with can't be asked."""

    next_step = "see that pip works here (`python -m pip download numpy`), or leave out --wheels"


def wheels(requirements: list[str], progress: Callable[[str, int, int], None] = lambda *_: None) -> list[Wheels]:
    """Ask the registry that pip is set up with whether these requirements have wheels for every runtime; installs nothing.

    :raises RegistryUnreachable: pip is missing, or gets no answer.
    """
    found = []
    for done, runtime in enumerate(RUNTIMES):
        progress("asking for wheels", done, len(RUNTIMES))
        found.append(_resolved(runtime, requirements))
    return found


def wheels_size(answer: Wheels) -> Size:
    """The size of the wheels that were chosen for one runtime, which are downloaded for it, and dropped again.

    :raises RegistryUnreachable: pip can't get them.
    """
    found = {}
    with tempfile.TemporaryDirectory() as place:
        exact = [f"{name}=={version}" for name, version in answer.chosen.items()]
        ran = _pip("download", answer.runtime, f"--dest={place}", "--no-deps", "--", *exact)
        if ran.returncode:
            raise RegistryUnreachable(f"pip can't get the wheels: {_last(ran.stderr)}")
        for path in Path(place).glob("*.whl"):
            name, version = path.name.split("-")[:2]
            with zipfile.ZipFile(path) as file:
                found[_key(name)] = (version, sum(entry.file_size for entry in file.infolist()))
    return Size(found, (), f"the wheels for {answer.runtime}")


def _pip(verb: str, runtime: Runtime, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip for another system; it takes wheels alone, so that nothing that it fetches is run."""
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={runtime.python}", "--retries=1", "--no-input"]
    options += [f"--platform={platform}" for platform in runtime.platforms()]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", verb, *options, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def _resolved(runtime: Runtime, requirements: list[str]) -> Wheels:
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        options = ["--dry-run", "--ignore-installed", f"--target={place}/target", f"--report={report}"]
        ran = _pip("install", runtime, *options, "--", *requirements)
        if ran.returncode == 0:
            packages = [package["metadata"] for package in json.loads(report.read_text())["install"]]
            return Wheels(runtime, {package["name"]: package["version"] for package in packages}, None)
    errors = [line.removeprefix("ERROR: ") for line in ran.stderr.splitlines() if line.startswith("ERROR: ")]
    if "Retrying (" in ran.stderr or not errors:
        raise RegistryUnreachable(f"pip can't ask for wheels: {_last(ran.stderr)}")
    return Wheels(runtime, {}, _why(errors))


def _last(output: str) -> str:
    return (output.strip().splitlines() or ["no answer"])[-1]


def _key(name: str) -> str:
    """A distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _why(errors: list[str]) -> str:
    """The line of pip's that names what is missing; else its last."""
    for marker in ("No matching distribution found", "Cannot install"):
        for error in errors:
            if marker in error:
                return error
    return errors[-1]
