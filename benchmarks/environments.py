"""Make one environment for each provider, with its runtime and the functions' packages, without the toolkit and benchmarks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import Requirement

from flyweight.toolkit.building.bytecode import version_of

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "constraints-bench.txt"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# Nothing here conflicts with the development environment. They are separate, and one for each provider, because
# functions-framework installs a .pth file that every start of Python reads; it takes 2.5 ms and would slow down Lambda's empty
# function.
RUNTIMES = {
    "aws": ["awslambdaric"],
    "gcp": ["functions-framework"],
    "azure": ["azure-functions", "azure-functions-runtime; python_version >= '3.13'", "grpcio; python_version >= '3.13'"],
    "cloudrun": [],
}
# skl2onnx converts HistGradientBoosting only with protobuf before 7.
IMPORTED = ["boto3", "joblib", "obstore", "onnxruntime", "pandas", "protobuf<7", "scikit-learn", "skl2onnx"]


def python_of(provider: str, base: str = sys.executable) -> Path:
    """Get the interpreter of a provider's environment, which is made first unless it exists with the pinned versions.

    :param base: the interpreter that the environment is made of.
    """
    return python_in(provider, CONSTRAINTS, [*RUNTIMES[provider], *IMPORTED], base)


def python_in(name: str, constraints: Path, wanted: list[str], base: str = sys.executable) -> Path:
    """Get the interpreter of an environment, which is made first unless it exists with the pinned versions.

    :param wanted: its packages.
    :param base: the interpreter that the environment is made of.
    """
    place = ROOT / ".venv-bench" / (VERSION if base == sys.executable else version_of(base)) / name
    python, marker = place / "bin" / "python", place / "installed.txt"
    made_of = f"{Path(base).resolve()}\n{constraints.read_text()}"  # two builds of one Python start at different speeds
    if marker.is_file() and marker.read_text() == made_of:
        return python
    shutil.rmtree(place, ignore_errors=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv:
        _run(uv, "venv", "--quiet", "--python", base, str(place))
        # With the packages' bytecode, as providers ship it, and as pip makes it by default.
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--compile-bytecode"]
    else:
        _run(base, "-m", "venv", str(place))
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(*install, "--constraint", str(constraints), *wanted)
    marker.write_text(made_of)  # last, so that an interrupted install is repeated
    return python


def python_with(requirement: str) -> Path:
    """Get the interpreter of an environment with flyweight's toolkit and another version of a library, made first if needed.

    :param requirement: the library and its version, as pip takes it.
    """
    place = ROOT / ".venv-bench" / requirement.translate(str.maketrans("=.*", "---"))
    python = place / "bin" / "python"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise FileNotFoundError("uv makes environments with older libraries, and is not installed; pip install uv")
    if not python.is_file():
        _run(uv, "venv", "--quiet", "--python", "3.11", str(place))  # old releases have wheels for it
        _run(uv, "pip", "install", "--quiet", "--python", str(python), f"{ROOT}[toolkit]", "onnx", "packaging", requirement)
    return python


def versions(python: Path) -> dict[str, str]:
    """List the versions of an environment's packages by name."""
    return {name: found.version for name, found in _installed(python).items()}


def installed_size(python: Path, packages: list[str]) -> int:
    """Sum the installed bytes of some packages with all their dependencies, without bytecode."""
    installed = _installed(python)
    needed = {name for package in packages for name in _required(package, installed, set())}
    files = [path for name in needed for path in installed[name].files or [] if path.suffix != ".pyc"]
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file())


def _required(package: str, installed: dict[str, Distribution], seen: set[str]) -> Iterator[str]:
    if package in seen:
        return
    seen.add(package)
    yield package
    for text in installed[package].requires or []:
        requirement = Requirement(text)
        try:
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except UndefinedEnvironmentName:
            applies = False
        if applies:
            yield from _required(_normal(requirement.name), installed, seen)


def _installed(python: Path) -> dict[str, Distribution]:
    folders = [str(path) for path in python.parent.parent.glob("lib/python3*/site-packages")]
    return {_normal(found.metadata["Name"]): found for found in distributions(path=folders)}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
