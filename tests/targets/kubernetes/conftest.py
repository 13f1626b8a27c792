"""The manifests of every form, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.targets.kubernetes.manifests import everything
from tests.toolkit.deploying.fixtures import folders, here, put, run, second, tools

__all__ = ["folders", "here", "put", "run", "second", "tools"]


@pytest.fixture(scope="session")
def made(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All manifests that there are, by what makes them."""
    return everything(tmp_path_factory.mktemp("overlays"), built("kubernetes"))
