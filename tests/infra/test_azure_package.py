"""What `func azure functionapp publish` zips of a built folder, by its `.funcignore`, runs under the worker's own library."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit.local import runtime
from tests.infra.handler import ROOT


def published(folder: Path, place: Path) -> Path:
    """The zip of a folder; git reads the ignore file, whose syntax Core Tools took over."""
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    listing = ["git", "-C", str(folder), "ls-files", "--others", "--exclude-from=.funcignore"]
    names = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.splitlines()
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(folder / name, name)
    return place


@pytest.fixture
def folder(built: Callable[[str], Path], tmp_path: Path) -> Path:
    """The published zip, unpacked."""
    import shutil

    source = shutil.copytree(built("azure"), tmp_path / "source")
    (source / "local.settings.json").write_text('{"Values": {"A": "secret"}}')
    with zipfile.ZipFile(published(source, tmp_path / "app.zip")) as archive:
        archive.extractall(tmp_path / "app")
    return tmp_path / "app"


def test_the_zip_has_the_app_at_its_root_and_no_local_settings(folder: Path, built: Callable[[str], Path]) -> None:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"host.json", "function_app.py", "model.safetensors"} <= names
    assert "local.settings.json" not in names
    whole = {str(path.relative_to(built("azure"))) for path in built("azure").rglob("*") if path.is_file()}
    assert names == whole - {".funcignore", ".gitignore"} - {name for name in whole if name.startswith(".git/")}


@pytest.mark.skipif(sys.version_info < (3, 13), reason="azure-functions-runtime takes Python 3.13 or later")
def test_the_zip_answers(folder: Path) -> None:
    event = json.loads((ROOT / "events" / "azure" / "predict.json").read_text())
    with runtime("azure")(folder) as running:
        reply = running.invoke(event)
    assert reply.status == 200, reply.body
    assert json.loads(reply.body)["model"] == {"name": "penguins", "version": "1.0.0"}
