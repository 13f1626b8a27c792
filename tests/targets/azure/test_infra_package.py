"""What `func azure functionapp publish --no-build` zips of a built folder runs under the worker's own library.

Core Tools take .funcignore for regular expressions, not as git takes its file: src/Cli/func/Common/GitIgnoreParser.cs and
FileSystemHelpers.cs of github.com/Azure/azure-functions-core-tools at 3ee97a6, read on 2026-11-25.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.toolkit.running import runtime
from tests.targets.handler import ROOT

LEFT_OUT = {".funcignore", ".gitignore", "local.settings.json", "project.lock.json"}  # anywhere, whatever .funcignore says


def ignored(lines: str) -> re.Pattern[str]:
    """What a .funcignore without exceptions leaves out, beginning at the folder's root."""
    words = [re.escape(line.strip().removeprefix("/")) for line in lines.splitlines() if line.strip() and line[0] not in "#!"]
    return re.compile("(?:" + "|".join(word.replace(r"\*", "[^/]+") for word in words) + r")\b", re.ASCII)


def published(folder: Path, place: Path) -> Path:
    """The zip of a folder."""
    pattern = ignored((folder / ".funcignore").read_text())
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name not in LEFT_OUT}
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(names):
            if not {".git", ".vscode"} & {*name.split("/")} and not pattern.match(name):
                archive.write(folder / name, name)
    return place


@pytest.fixture
def folder(built: Callable[[str], Path], tmp_path: Path) -> Path:
    """The published zip, unpacked."""
    import shutil

    source = shutil.copytree(built("azure"), tmp_path / "source")
    (source / "local.settings.json").write_text('{"Values": {"A": "secret"}}')
    for name in (".venv/lib/site.py", ".git/config"):
        (source / name).parent.mkdir(parents=True)
        (source / name).write_text("")
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
