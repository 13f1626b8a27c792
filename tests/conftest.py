"""What many tests share: the penguins model as a file, and the folders built from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

# Test files run side by side, one a processor: libraries that bring threads of their own would only wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import pytest

import flyweight
from flyweight.toolkit.building import build
from tests import fitted

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def penguins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The penguins model, packed: what every event in `events/` speaks to."""
    estimator, sample = fitted.penguins()
    path = tmp_path_factory.mktemp("models") / "penguins.safetensors"
    flyweight.pack(estimator, path, sample=sample, name="penguins", version="1.0.0")
    return path


@pytest.fixture(scope="session")
def built(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From a provider's name to its folder, built once with the penguins model for the Python that runs the tests."""
    place = tmp_path_factory.mktemp("built")

    @cache
    def folder(provider: str) -> Path:
        return build(provider, penguins, place / provider, python=PYTHON).folder

    return folder
