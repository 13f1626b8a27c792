"""Wheels of the target's system come into the folder from any machine, where the provider looks for them, trimmed and proven."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.linear_model import LogisticRegression, Ridge

import flyweight
from flyweight import predictor
from flyweight.toolkit.building import BuildFailed, Built, build, packages, proof, wheels
from flyweight.toolkit.packing import model_writer
from tests.conftest import PYTHON

OBSTORE = version("obstore")
HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "x86_64")
MACHINES = {"x86_64": 0x3E, "arm64": 0xB7}  # e_machine of an ELF file


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of obstore for both architectures, trimmed."""
    place = tmp_path_factory.mktemp("wheels")
    (place / "requirements.txt").write_text(f"obstore=={OBSTORE}\n")
    for arch in MACHINES:
        system = wheels.System(arch, "3.13")
        assert f"obstore=={OBSTORE}" in wheels.lock(place / "requirements.txt", place / f"{arch}.lock", system)
        wheels.install(place / "requirements.txt", place / f"{arch}.lock", place / arch, system)
        packages.trim(place / arch)
    return {arch: place / arch for arch in MACHINES}


@pytest.mark.parametrize("arch", MACHINES)
def test_the_libraries_are_the_targets(arch: str, trees: dict[str, Path]) -> None:
    (library,) = (trees[arch] / "obstore").glob("*.so")
    head = library.read_bytes()[:20]
    assert head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") == MACHINES[arch]


@pytest.mark.parametrize("arch", MACHINES)
def test_what_no_function_runs_is_gone_and_what_it_asks_for_is_there(arch: str, trees: dict[str, Path]) -> None:
    files = [path for path in trees[arch].rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pyi", ".h", ".pyc")]
    assert not (trees[arch] / "bin").exists()
    (info,) = trees[arch].glob("obstore-*.dist-info")
    assert (info / "METADATA").is_file() and not (info / "INSTALLER").exists()
    (found,) = [package for package in packages.listed(trees[arch]) if package.name == "obstore"]
    assert (found.version, found.license) == (OBSTORE, found.license) and found.size > 1_000_000


def test_a_package_still_tells_its_version_and_its_files(trees: dict[str, Path]) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(trees[HERE])!r}); from importlib.metadata import files, version; "
        "print(version('obstore'), all(path.locate().is_file() for path in files('obstore')))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [OBSTORE, "True"]


def test_tests_of_a_package_go_but_a_package_called_test_stays(tmp_path: Path) -> None:
    for name in ("pack/tests/test_it.py", "pack/code.py", "pack/stubs.pyi", "test/__init__.py", "bin/script", "pack/x.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    packages.trim(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"pack/code.py", "test/__init__.py"}


def refusal(tmp_path: Path, requirement: str, constraint: str = "") -> BuildFailed:
    """What is said of a requirement that can't be had."""
    (tmp_path / "requirements.txt").write_text(f"{requirement}\n")
    (tmp_path / "kept.txt").write_text(constraint)
    system, kept = wheels.System("arm64", "3.13"), tmp_path / "kept.txt"
    with pytest.raises(BuildFailed) as failed:
        wheels.lock(tmp_path / "requirements.txt", tmp_path / "lock", system, kept)
        wheels.install(tmp_path / "requirements.txt", tmp_path / "lock", tmp_path / "out", system, kept)
    return failed.value


def test_no_wheel_is_answered_with_the_reason_and_what_to_do(tmp_path: Path) -> None:
    refused = refusal(tmp_path, "obstore==0.0.0.1")
    assert "obstore" in str(refused) and "--no-install" in refused.next_step


def test_a_registry_that_does_not_answer_is_told_from_wheels_that_there_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:  # bound, and never listening: what connects is refused
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{taken.getsockname()[1]}/simple")
        monkeypatch.setenv("UV_NO_CACHE", "1")
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        refused = refusal(tmp_path, "joblib")
    assert "refused" in str(refused) and "registry can be reached" in refused.next_step


def test_a_lock_is_kept_to_and_other_bytes_under_its_versions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("joblib\n")
    (tmp_path / "kept.txt").write_text("joblib==1.5.2\n")
    system = wheels.System("arm64", "3.13")
    assert "joblib==1.5.2" in wheels.lock(tmp_path / "requirements.txt", tmp_path / "first", system, tmp_path / "kept.txt")
    assert "joblib==1.5.2" in wheels.lock(tmp_path / "requirements.txt", tmp_path / "second", system, tmp_path / "first")
    assert (tmp_path / "first").read_text() == (tmp_path / "second").read_text()
    forged = re.sub("sha256:.{8}", "sha256:00000000", (tmp_path / "first").read_text())
    refused = refusal(tmp_path, "joblib", forged)
    assert "hash" in str(refused) and "why these bytes changed" in refused.next_step


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the sklearn engine's kind would install 200 MB: this one says that it needs the small joblib, and is pure."""
    X = np.arange(20.0).reshape(10, 2)
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    flyweight.pack(LogisticRegression().fit(X, [0, 1] * 5), path, sample=X, name="m", version="1.0.0", edge_count=20)
    file = predictor.load(str(path)).file
    wanted = {**file.document, "requires": {"joblib": version("joblib")}}
    model_writer.write(path, model_writer.to_bytes(wanted, load_file(path)))
    return path


@pytest.fixture(scope="module")
def made(numbered: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Built]:
    """The same model, with its package, twice on aws and once on azure."""
    place = tmp_path_factory.mktemp("made")
    names = {"first": "aws", "second": "aws", "azure": "azure", "gcp": "gcp"}
    arch = {"aws": HERE}
    return {
        name: build(provider, numbered, place / name / "out", python=PYTHON, arch=arch.get(provider), install=True, form="zip")
        for name, provider in names.items()
    }


def test_packages_lie_where_the_provider_looks_for_them(made: dict[str, Built]) -> None:
    assert (made["first"].folder / "joblib" / "__init__.py").is_file()
    assert (made["azure"].folder / ".python_packages/lib/site-packages/joblib/__init__.py").is_file()
    assert (made["azure"].folder / ".python_packages/lib/site-packages/azure/functions/__init__.py").is_file()
    assert not (made["gcp"].folder / "joblib").exists() and not made["gcp"].shipped
    listed = (made["gcp"].folder / "requirements.txt").read_text().splitlines()
    assert f"joblib=={version('joblib')}" in listed and [line for line in listed if line.startswith("flask==")]


def test_they_are_compiled_for_the_functions_python_and_never_checked(made: dict[str, Built]) -> None:
    tag = f"cpython-{PYTHON.replace('.', '')}"
    code = (made["first"].folder / "joblib" / "__pycache__" / f"parallel.{tag}.pyc").read_bytes()
    assert code[4:8] == b"\x01\0\0\0"


def test_the_model_answers_among_them_or_it_is_said_why_that_was_not_tried(
    made: dict[str, Built], numbered: Path, tmp_path: Path
) -> None:
    assert made["first"].proof.proven
    assert made["gcp"].proof.proven and "the packages that the provider installs" in made["gcp"].proof.words
    (kept, *_) = [row for row in made["gcp"].limits if "files and packages" in row.limit]
    assert kept.size == made["gcp"].size + sum(package.size for package in made["gcp"].packages)
    left = build("gcp", numbered, tmp_path / "out", python=PYTHON).proof
    assert not left.proven and "the provider or the user installs them" in left.words
    assert proof.elsewhere("arm64" if HERE == "x86_64" else "x86_64")


def test_the_same_wheels_make_the_same_zip(made: dict[str, Built]) -> None:
    hashes = {hashlib.sha256(made[name].folder.with_name("out.zip").read_bytes()).hexdigest() for name in ("first", "second")}
    assert len(hashes) == 1


def test_the_versions_lie_beside_the_folder_and_a_later_build_keeps_to_them(made: dict[str, Built], tmp_path: Path) -> None:
    lock = made["first"].folder.with_name("out.lock.txt")
    assert lock in made["first"].artifacts and f"joblib=={version('joblib')} " in lock.read_text()
    assert "--hash=sha256:" in lock.read_text()
    pure = tmp_path / "out"
    shutil.copytree(made["first"].folder, pure)
    shutil.copyfile(lock, tmp_path / "out.lock.txt")
    (tmp_path / "mine.lock.txt").write_text("mine")
    build("aws", pure / "model.safetensors", pure, python=PYTHON)
    assert not (tmp_path / "out.lock.txt").exists()  # it is not of this folder any more
    assert (tmp_path / "mine.lock.txt").read_text() == "mine"


def test_the_list_of_parts_has_each_package(made: dict[str, Built]) -> None:
    parts = json.loads(made["first"].folder.with_name("out.cdx.json").read_text())["components"]
    joblib = next(part for part in parts if part["name"] == "joblib")
    assert joblib["purl"] == f"pkg:pypi/joblib@{version('joblib')}" and "BSD" in json.dumps(joblib["licenses"])
    listed = json.loads(made["gcp"].folder.with_name("out.cdx.json").read_text())["components"]
    assert next(part for part in listed if part["name"] == "joblib")["properties"][0]["value"] == "provider"
    assert "flask" in {part["name"] for part in listed}  # which functions-framework needs in turn


def test_a_model_that_answers_otherwise_is_not_built(numbered: Path, tmp_path: Path) -> None:
    document = {**predictor.load(str(numbered)).file.document, "requires": {}}
    document["sample"] = {**document["sample"], "predictions": [7 for _ in document["sample"]["predictions"]]}
    model_writer.write(tmp_path / "m.safetensors", model_writer.to_bytes(document, load_file(numbered)))
    with pytest.raises(BuildFailed, match="differ from those at packing") as failed:
        build("aws", tmp_path / "m.safetensors", tmp_path / "out", python=PYTHON)
    assert failed.value.next_step
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize("target", ["hadoop", "cloudflare", "browser"])
def test_a_place_without_packages_refuses_a_model_before_they_are_looked_for(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.arange(20.0).reshape(-1, 1)
    flyweight.pack(Ridge().fit(X, X[:, 0]), tmp_path / "m.safetensors", sample=X, name="m", edge_count=5, engine="sklearn")
    monkeypatch.delattr(wheels, "lock")
    with pytest.raises(BuildFailed, match=r"this (one )?needs .*scikit-learn=="):
        build(target, tmp_path / "m.safetensors", tmp_path / "out", install=True)
