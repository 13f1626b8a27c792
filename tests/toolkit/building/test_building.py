"""A built folder holds what its function needs and no more, is the same each time, and is never half-made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight.errors import ModelRefused
from flyweight.toolkit import targets
from flyweight.toolkit.building import BuildFailed, build, bytecode, folder
from tests.conftest import PYTHON

PROVIDERS = targets.names()
PLAIN = [target.name for target in targets.all_targets() if not target.package.alone]  # whose Python reads what is built here
TAG = f"cpython-{PYTHON.replace('.', '')}"


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


@pytest.mark.parametrize("provider", PLAIN)
def test_a_folder_holds_handler_core_and_model(provider: str, built: Callable[[str], Path], penguins: Path) -> None:
    files = contents(built(provider))
    handler = {p.name for p in targets.find(provider).folder("handlers").iterdir() if p.is_file()}
    assert handler <= {*files}
    assert files["model.safetensors"] == penguins.read_bytes()
    assert "flyweight/serving/service.py" in files
    assert not [name for name in files if "toolkit" in name]


@pytest.mark.parametrize("provider", PLAIN)
def test_every_source_has_bytecode_that_is_never_checked_against_it(provider: str, built: Callable[[str], Path]) -> None:
    folder = built(provider)
    bundle = (folder / "flyweight" / "__pycache__" / f"bundle.{TAG}").read_bytes()
    index = bundle[4 : 4 + int.from_bytes(bundle[:4], "little")].decode().splitlines()
    bundled = {source for _, source, _, _ in [line.split("\t") for line in index if line] if source}
    core = {source for source in bundled if "/" in source}
    for source in folder.rglob("*.py"):
        if str(source.relative_to(folder)) not in core:
            flags = (source.parent / "__pycache__" / f"{source.stem}.{TAG}.pyc").read_bytes()[4:8]
            assert flags == b"\x01\0\0\0"  # PEP 552: hash-based, unchecked
    assert core == {str(path.relative_to(folder)) for path in (folder / "flyweight").rglob("*.py")} - {"flyweight/__init__.py"}
    assert bundled - core == {path.name for path in folder.glob("*.py")}  # the handler's, which a platform imports by its path


def test_the_same_inputs_build_the_same_bytes_wherever_they_go(penguins: Path, tmp_path: Path) -> None:
    first = build("aws", penguins, tmp_path / "a", python=PYTHON).folder
    second = build("aws", penguins, tmp_path / "deeper" / "b", python=PYTHON).folder
    assert contents(first) == contents(second)
    assert {p.stat().st_mtime for place in (first, second) for p in [place, *place.rglob("*")]} == {folder.MOMENT}


@pytest.mark.parametrize("out", ["build/aws", "build", "."])
def test_a_folder_inside_its_handler_is_refused_before_anything_is_copied(
    out: str, penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    with pytest.raises(BuildFailed, match="is in the handler's folder") as caught:
        build("aws", penguins, out, handler=Path("."))
    assert "outside of it" in caught.value.next_step and not [*project.iterdir()]


def test_a_folder_without_a_program_is_no_handler(penguins: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").touch()
    with pytest.raises(BuildFailed, match="docs has no program"):
        build("aws", penguins, tmp_path / "built", handler=tmp_path / "docs")


def test_files_can_be_read_by_a_functions_user_whatever_the_umask(penguins: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        made = build("gcp", penguins, tmp_path / "out", python=PYTHON).folder
    finally:
        os.umask(before)
    assert {oct(p.stat().st_mode & 0o777) for p in [made, *made.rglob("*")] if p.is_dir()} == {"0o755"}
    rights = {p.name: p.stat().st_mode & 0o777 for p in made.rglob("*") if p.is_file()}
    scripts = {p.name for p in made.glob("*") if p.is_file() and p.read_bytes().startswith(b"#!")}
    assert all(mode == (0o755 if name in scripts else 0o644) for name, mode in rights.items())


def test_the_marker_says_what_was_built_and_no_time(penguins: Path, tmp_path: Path) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON)
    marker = json.loads((made.folder / "flyweight.json").read_text())
    assert {*marker} == {"flyweight", "target", "python", "runtime", "arch", "model", "version", "sha256", "packages"}
    assert (marker["model"], marker["version"], marker["sha256"]) == ("penguins", "1.0.0", made.sha256)


def test_an_earlier_build_is_replaced_whole(penguins: Path, tmp_path: Path) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON).folder
    (made / "left.txt").write_text("over")
    build("gcp", penguins, tmp_path / "out", python=PYTHON)
    assert (made / "main.py").exists()
    assert not (made / "left.txt").exists() and not (made / "app.py").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.cdx.json"]


def test_a_folder_that_was_not_built_here_is_left_alone(penguins: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BuildFailed, match="did not build it"):
        build("aws", penguins, tmp_path, python=PYTHON)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("content", [b"", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_bad_model_is_refused_before_anything_is_written(content: bytes, tmp_path: Path) -> None:
    model = tmp_path / "bad.safetensors"
    model.write_bytes(content)
    with pytest.raises(ModelRefused):
        build("aws", model, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["bad.safetensors"]


def test_a_failure_leaves_the_earlier_build_as_it_was(penguins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON).folder
    before = contents(made)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bytecode, "compile_tree", full)
    with pytest.raises(OSError, match="No space"):
        build("aws", penguins, made, python=PYTHON)
    assert contents(made) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "out.cdx.json"]


def test_an_unknown_target_is_answered_with_the_known_ones(penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(targets.UnknownTarget) as failed:
        build("oracle", penguins, tmp_path / "out")
    assert all(provider in failed.value.next_step for provider in PROVIDERS)


@pytest.mark.parametrize("version", ["3.99", "3", "latest", ""])
def test_a_python_that_no_function_runs_on_is_answered_with_those_that_do(version: str, penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="does not support Python") as missing:
        build("aws", penguins, tmp_path / "out", python=version)
    assert "3.13" in missing.value.next_step
    assert not any(tmp_path.iterdir())


def test_a_python_that_is_not_here_gets_sources_and_is_said_to_be_unproven(penguins: Path, tmp_path: Path) -> None:
    try:
        bytecode.interpreter("3.14")
    except bytecode.NoSuchPython:
        made = build("aws", penguins, tmp_path / "out", python="3.14")
        assert (made.python, made.runtime, made.proof.proven) == (None, "3.14", False)
        assert "not on this machine" in made.proof.words
        assert not [*made.folder.rglob("*.pyc")]
    else:
        assert build("aws", penguins, tmp_path / "out", python="3.14").python == "3.14"


def test_without_bytecode_there_is_none_and_the_model_is_proven_all_the_same(penguins: Path, tmp_path: Path) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON, with_bytecode=False)
    assert made.python is None and made.proof.proven
    assert not [*made.folder.rglob("*.pyc")]


def test_a_built_folder_predicts_with_nothing_else_on_the_path(built: Callable[[str], Path]) -> None:
    program = (
        "import sys; sys.path.insert(0, '.'); import app;"
        "print(app.lambda_handler([['Biscoe', 46.1, 13.2, 211, 4500, 'female', 2007]], None)['predictions'])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], cwd=built("aws"), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "['Gentoo']", done.stderr
