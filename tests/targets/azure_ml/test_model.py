"""The model that Azure mounts is found: a registered file, or the one in a registered folder; what is ambiguous is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.targets.azure_ml.runtime import Runtime

OWN = Runtime.client("own")
EVENT = {"method": "GET", "path": "/model", "headers": {}}


@pytest.fixture
def bare(built: Callable[[str], Path], tmp_path: Path) -> Path:
    """A built folder without its model."""
    folder = tmp_path / "code"
    shutil.copytree(built("azure_ml"), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    return folder


def served(folder: Path, **environ: str) -> Any:
    with Runtime(folder, environ={**OWN, **environ}) as process:
        return json.loads(process.invoke(EVENT).body)


@pytest.mark.parametrize("place", ["a.safetensors", "folder/a.safetensors"])
def test_a_mounted_model_is_served(place: str, bare: Path, penguins: Path, tmp_path: Path) -> None:
    path = tmp_path / "azureml-models" / "penguins" / "1" / place
    path.parent.mkdir(parents=True)
    shutil.copy(penguins, path)
    (path.parent / "README.md").write_text("not a model")
    assert served(bare, AZUREML_MODEL_DIR=str(tmp_path / "azureml-models" / "penguins" / "1"))["name"] == "penguins"


def test_the_mount_may_be_the_file_itself(bare: Path, penguins: Path) -> None:
    assert served(bare, AZUREML_MODEL_DIR=str(penguins))["name"] == "penguins"


@pytest.mark.parametrize("mount", ["", "/nowhere"])
def test_without_a_mounted_model_the_folders_own_is_served(mount: str, built: Callable[[str], Path], tmp_path: Path) -> None:
    assert served(built("azure_ml"), AZUREML_MODEL_DIR=mount)["name"] == "penguins"
    assert served(built("azure_ml"), AZUREML_MODEL_DIR=str(tmp_path))["name"] == "penguins"


def test_of_several_mounted_models_the_setting_names_one(bare: Path, penguins: Path, tmp_path: Path) -> None:
    mount = tmp_path / "mount"
    mount.mkdir()
    for name in ("a.safetensors", "b.safetensors"):
        shutil.copy(penguins, mount / name)
    with pytest.raises(RuntimeFailed, match=r"several model files: a\.safetensors, b\.safetensors; name one in FLYWEIGHT_MODEL"):
        served(bare, AZUREML_MODEL_DIR=str(mount))
    assert served(bare, AZUREML_MODEL_DIR=str(mount), FLYWEIGHT_MODEL=str(mount / "b.safetensors"))["name"] == "penguins"
