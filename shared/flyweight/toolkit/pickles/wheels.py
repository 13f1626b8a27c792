"""What deploying a pickle with its libraries needs on each target: wheels that fit its runtimes, and their unzipped size."""

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

from flyweight.toolkit import targets
from flyweight.toolkit.errors import ToolkitError
from flyweight.toolkit.targets.package import MACHINES


@dataclass(frozen=True)
class TargetPython:
    """One Python on one kind of machine of a target, which wheels have to fit.

    :param python: the version of Python, as "3.13".
    :param machine: the machine in platform tags: "x86_64" or "aarch64".
    :param glibc: the version of glibc, major and minor.
    :param system: the name of the operating system.
    :param limit: the bytes of code and libraries that the target takes, unzipped; None without such a limit.
    """

    target: str
    python: str
    machine: str
    glibc: tuple[int, int]
    system: str
    limit: int | None

    def __str__(self) -> str:
        return f"{self.target} {self.python} {self.machine}"

    def platforms(self) -> list[str]:
        """List all platform tags that fit, newest first (PEP 600): pip itself adds no older `manylinux_2_N`."""
        major, minor = self.glibc
        oldest = {"x86_64": 5, "aarch64": 17}[self.machine]
        tags = [f"manylinux_{major}_{minor}_{self.machine}" for minor in range(minor, oldest - 1, -1)]
        legacy = {5: ["manylinux2014", "manylinux2010", "manylinux1"], 17: ["manylinux2014"]}[oldest]
        return tags + [f"{name}_{self.machine}" for name in legacy] + [f"linux_{self.machine}"]


def target_pythons() -> list[TargetPython]:
    """List the Pythons and machines of all targets, as far as their systems are known."""
    return [
        TargetPython(target.name, python, machine, system.glibc, system.name, target.package.unzipped_limit)
        for target in targets.all_targets()
        if target.has("package")
        for python, system in target.package.systems.items()
        for machine in sorted((MACHINES[architecture] for architecture in target.package.architectures), reverse=True)
    ]


def smallest_limit() -> tuple[str, int] | None:
    """Find the target that takes the fewest bytes of code and libraries, unzipped.

    :returns: its title and its limit; None if no target has a limit.
    """
    packages = {target.title: target.package for target in targets.all_targets() if target.has("package")}
    limits = [(title, package.unzipped_limit) for title, package in packages.items() if package.unzipped_limit is not None]
    return min(limits, key=lambda limit: limit[1], default=None)


@dataclass(frozen=True)
class Size:
    """The unzipped size of libraries: their files without bytecode.

    :param distributions: version and bytes by the name of a distribution.
    :param absent: the names of distributions that are not installed here, and so not counted.
    :param measured: a text that says what was measured.
    """

    distributions: dict[str, tuple[str, int]]
    absent: tuple[str, ...]
    measured: str

    @property
    def bytes(self) -> int:
        """The bytes of all distributions together."""
        return sum(count for _, count in self.distributions.values())


def installed_size(distributions: Iterable[str]) -> Size:
    """Measure these distributions, and those that they require, from the files that are installed here."""
    sizes: dict[str, tuple[str, int]] = {}
    absent, waiting = dict[str, None](), [*distributions]
    for name in waiting:  # the list grows in the loop
        key = _key(name)
        if key in sizes or key in absent:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name in distributions:  # any other is required on other systems only
                absent[key] = None
            continue
        files = [file for file in distribution.files or [] if file.suffix != ".pyc"]
        sizes[key] = (distribution.version, sum(file.size or 0 for file in files))
        required = [requirement for requirement in distribution.requires or [] if "extra ==" not in requirement]
        waiting.extend(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0] for requirement in required)
    return Size(sizes, tuple(absent), "what is installed here")


@dataclass(frozen=True)
class Wheels:
    """Whether all requirements can be installed on a runtime without compiling.

    :param chosen: the versions that pip chose, by name; empty if there is a problem.
    :param problem: why they can't be installed; None if they can.
    """

    runtime: TargetPython
    chosen: dict[str, str]
    problem: str | None


class RegistryUnreachable(ToolkitError):
    """The package registry that pip is configured with can't be reached."""

    next_step = "see that pip works here (`python -m pip download numpy`), or leave out --wheels"


def wheels(requirements: list[str], progress: Callable[[str, int, int], None] = lambda *_: None) -> list[Wheels]:
    """Ask the registry that pip is configured with for wheels of these requirements, for every runtime; nothing is installed.

    :raises RegistryUnreachable: pip is missing, or gets no answer.
    """
    answers, runtimes = [], target_pythons()
    for done, runtime in enumerate(runtimes):
        progress("asking for wheels", done, len(runtimes))
        answers.append(_resolve(runtime, requirements))
    return answers


def wheels_size(answer: Wheels) -> Size:
    """Measure the wheels that were chosen for one runtime; they are downloaded for it and deleted again.

    :raises RegistryUnreachable: pip can't download them.
    """
    sizes = {}
    with tempfile.TemporaryDirectory() as place:
        exact = [f"{name}=={version}" for name, version in answer.chosen.items()]
        ran = _pip("download", answer.runtime, f"--dest={place}", "--no-deps", "--", *exact)
        if ran.returncode:
            raise RegistryUnreachable(f"pip can't download the wheels: {_last_line(ran.stderr)}")
        for path in Path(place).glob("*.whl"):
            name, version = path.name.split("-")[:2]
            with zipfile.ZipFile(path) as file:
                sizes[_key(name)] = (version, sum(entry.file_size for entry in file.infolist()))
    return Size(sizes, (), f"the wheels for {answer.runtime}")


def _pip(verb: str, runtime: TargetPython, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pip for another system. It takes wheels only, so that no downloaded code is run."""
    options = ["--only-binary=:all:", "--implementation=cp", f"--python-version={runtime.python}", "--retries=1", "--no-input"]
    options += [f"--platform={platform}" for platform in runtime.platforms()]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", verb, *options, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def _resolve(runtime: TargetPython, requirements: list[str]) -> Wheels:
    """Let pip choose wheels for one runtime.

    :raises RegistryUnreachable: pip is missing, or gets no answer.
    """
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        options = ["--dry-run", "--ignore-installed", f"--target={place}/target", f"--report={report}"]
        ran = _pip("install", runtime, *options, "--", *requirements)
        if ran.returncode == 0:
            packages = [package["metadata"] for package in json.loads(report.read_text(encoding="utf-8"))["install"]]
            return Wheels(runtime, {package["name"]: package["version"] for package in packages}, None)
    errors = [line.removeprefix("ERROR: ") for line in ran.stderr.splitlines() if line.startswith("ERROR: ")]
    if "Retrying (" in ran.stderr or not errors:
        raise RegistryUnreachable(f"pip can't ask for wheels: {_last_line(ran.stderr)}")
    return Wheels(runtime, {}, _reason(errors))


def _last_line(output: str) -> str:
    return (output.strip().splitlines() or ["no answer"])[-1]


def _key(name: str) -> str:
    """Normalize a distribution's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _reason(errors: list[str]) -> str:
    """Pick the error line of pip that names what is missing; else the last one."""
    for marker in ("No matching distribution found", "Cannot install"):
        for error in errors:
            if marker in error:
                return error
    return errors[-1]
