"""The modules of `handlers/server`, and a folder that is built from them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flyweight.toolkit import resources
from flyweight.toolkit.building import build
from tests.conftest import PYTHON

HANDLER = resources.folder("handlers") / "server"
if str(HANDLER) not in sys.path:
    sys.path.append(str(HANDLER))


@pytest.fixture(scope="session")
def folder(penguins: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server, the core and the penguins model."""
    return build("gcp", penguins, tmp_path_factory.mktemp("server") / "built", python=PYTHON, handler=HANDLER).folder
