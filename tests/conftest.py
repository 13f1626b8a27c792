"""What many tests share: the penguins model as a file, and the folders built from it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

# Test files run side by side, one a processor: libraries that bring threads of their own would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import pytest
from hypothesis import HealthCheck, settings

import flyweight
from flyweight.toolkit.building import build
from tests import fitted

# On a busy machine any example may take long: no test of properties is judged by time. CI tries the same examples each time
# (HYPOTHESIS_PROFILE=repeatable), so that it fails on what was changed; a run by hand tries others.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeatable", settings.get_profile("busy"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "busy"))

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ROOT = Path(__file__).resolve().parents[1]
MEASURED: dict[Any, Any] = {}  # by what `measured_once` measured
# What `.ci/install-NAME` installs, and where; any other tool is a command on PATH.
TOOLS = {
    "aarch64": ".tools/aarch64/installed.txt",
    "arrays": ".tools/arrays/bin/python",
    "az": ".tools/az/bin/az",
    "azure-ml": ".tools/azure-ml/installed.txt",
    "azurite": ".tools/azurite/node_modules/azurite",
    "base-image": ".tools/base/oci-layout",
    "checkov": ".tools/checkov/bin/checkov",
    "machines": ".tools/machines/cloud-init",
    "cosign": ".tools/cosign/cosign",
    "kube-apiserver": ".tools/kube-apiserver/installed.txt",
    "kubernetes": ".tools/kubernetes/installed.txt",
    "pyodide": ".tools/pyodide/installed.txt",
    "registry": ".tools/registry/crane",
    "rie": ".tools/rie/aws-lambda-rie",
    "sam": ".tools/sam/bin/sam",
    "terraform-schemas": ".tools/terraform-schemas/installed.txt",
    "trivy": ".tools/trivy/trivy-config",
    "wrangler": ".tools/wrangler/installed.txt",
}
# node, which the tests start in many folders, finds Pyodide here
if (ROOT / TOOLS["pyodide"]).is_file():
    os.environ.setdefault("NODE_PATH", str(ROOT / ".tools/pyodide/node_modules"))


def missing(tool: str) -> str:
    """Say that a tool is not installed, and what installs it; "" if it is there."""
    if shutil.which(tool) or (tool in TOOLS and (ROOT / TOOLS[tool]).exists()):
        return ""
    return f"{tool} is not installed" + (f"; run: .ci/install-{tool}" if (ROOT / ".ci" / f"install-{tool}").exists() else "")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the name of their file, and by a fixture; what the markers mean is in pyproject.toml."""
    for item in items:
        marked = {
            "infra": item.path.stem.startswith("test_infra_"),
            "end_to_end": item.path.stem.endswith("end_to_end"),
            "server": "servers" in getattr(item, "fixturenames", ()),
        }
        for marker in [name for name, applies in marked.items() if applies]:
            item.add_marker(marker)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tools are not installed: `@pytest.mark.needs("sam")`."""
    for tool in [tool for mark in item.iter_markers("needs") for tool in mark.args]:
        if words := missing(tool):
            pytest.skip(words)


@pytest.fixture(scope="session")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins model, packed: what every event in `events/` speaks to."""
    estimator, sample = fitted.penguins()
    path = tmp_path_factory.mktemp("models") / "penguins.safetensors"
    flyweight.pack(estimator, path, sample=sample, name="penguins", version="1.0.0")
    return path


@pytest.fixture(scope="session")
def built(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a provider's name to its folder, built once with the penguins model for the Python that runs the tests.

    A second argument names protocols to include.
    """
    place = tmp_path_factory.mktemp("built")

    @cache
    def folder(provider: str, *protocols: str) -> Path:
        return build(provider, penguins, place / "-".join((provider, *protocols)), python=PYTHON, protocols=protocols).folder

    return folder


@pytest.fixture
def measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `flyweight advise` measure the same model in the same runtime once in a run: no test asks how long that takes."""
    from flyweight.toolkit.costs import measurement, runtimes

    def measured(target: str, model: str, rows: int, *calls: Any, **options: Any) -> Any:
        key = (target, Path(model).read_bytes(), rows, *options.items())
        if key not in MEASURED:
            MEASURED[key] = measurement.measured(target, model, rows, *calls, **options)
        return MEASURED[key]

    monkeypatch.setattr(runtimes, "measured", measured)
