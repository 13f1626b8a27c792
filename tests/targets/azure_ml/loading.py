"""Load the files of `infra/azure_ml` with azure-ai-ml, in its own environment, beside a built folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

PYTHON = ROOT / ".tools" / "azure-ml" / "bin" / "python"
KINDS = {
    "endpoint.yml": "online-endpoint",
    "deployment.yml": "online-deployment",
    "deployment-container.yml": "online-deployment",
    "batch-endpoint.yml": "batch-endpoint",
    "batch-deployment.yml": "batch-deployment",
}
Load = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def load(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Load files with what is set in them, all in one process."""
    place = tmp_path_factory.mktemp("definitions")
    shutil.copytree(ROOT / "infra" / "azure_ml", place / "infra" / "azure_ml")
    shutil.copytree(built("azure_ml"), place / "build" / "azure_ml")

    def loaded(*asked: tuple[str, dict[str, str]]) -> list[dict[str, Any]]:
        questions = [(KINDS[name], str(place / "infra" / "azure_ml" / name), given) for name, given in asked]
        command = [str(PYTHON), "-P", str(Path(__file__).with_name("definitions.py"))]
        done = subprocess.run(command, input=json.dumps(questions), capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-3000:]
        found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return found

    return loaded
