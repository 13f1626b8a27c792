"""Zip, layer and image of one build: the same bytes each time, with what each provider looks for; a list of parts beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from flyweight.toolkit import targets
from flyweight.toolkit.building import BuildFailed, build, bytecode, sbom
from flyweight.toolkit.building.packages import Package
from tests.conftest import PYTHON

PROVIDERS = targets.names()
ASK = "import app; print(app.lambda_handler([['Biscoe', 46.1, 13.2, 211, 4500, 'female', 2007]], None)['predictions'])"


def valid(text: str) -> bool:
    """Whether CycloneDX's own validator takes a list of parts."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert fault is None, fault
    return True


@pytest.mark.parametrize("license", ["", "MIT", "BSD-3-Clause AND (0BSD OR MIT)", "BSD 3-Clause", "see LICENSE"])
def test_a_list_of_parts_is_valid_whatever_packages_say_of_themselves(license: str) -> None:
    source = {"model": "pi\u00f1guins / 2", "version": "1.0+a", "sha256": "0" * 64}
    parts = [Package("one", "1.0+cpu", 1, license), Package("two", "2.0rc1", 1)]
    listed = ["three==3", "four[more]>=1; python_version >= '3.11'", "five==3.*", "six"]
    text = sbom.text(source, parts, listed, "aws")
    assert valid(text) and text == sbom.text(source, parts[::-1], listed, "aws")
    told = {part["name"]: part.get("version") for part in json.loads(text)["components"] if part["type"] == "library"}
    del told["flyweight"]
    assert told == {"one": "1.0+cpu", "two": "2.0rc1", "three": "3", "four": None, "five": None, "six": None}
    with pytest.raises(AssertionError):
        valid(text.replace('"library"', '"anything"'))


def answer(*places: Path) -> str:
    """What the function answers with nothing but these on the path."""
    program = f"import sys; sys.path[:0] = {[*map(str, places)]!r}; {ASK}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_zip_has_the_folder_and_the_same_bytes_whatever_the_umask_and_the_place(
    provider: str, penguins: Path, tmp_path: Path
) -> None:
    first = build(provider, penguins, tmp_path / "a", python=PYTHON, form="zip")
    bytecode.COMPILED.clear()  # compile again
    before = os.umask(0o077)
    try:
        second = build(provider, penguins, tmp_path / "deeper" / "b", python=PYTHON, form="zip")
    finally:
        os.umask(before)
    zips = [tmp_path / "a.zip", tmp_path / "deeper" / "b.zip"]
    assert zips[0].read_bytes() == zips[1].read_bytes()
    assert zips[0] in first.artifacts and zips[1] in second.artifacts
    with zipfile.ZipFile(zips[0]) as opened:
        entries = opened.infolist()
        scripts = {entry.filename for entry in entries if opened.read(entry).startswith(b"#!")}
    assert {entry.filename for entry in entries} == {
        path.relative_to(first.folder).as_posix() for path in first.folder.rglob("*") if path.is_file()
    }
    assert {entry.date_time for entry in entries} == {(1980, 1, 2, 0, 0, 0)}
    assert all(entry.external_attr >> 16 == (0o100755 if entry.filename in scripts else 0o100644) for entry in entries)


def test_what_may_be_run_may_be_run_in_the_zip(penguins: Path, tmp_path: Path) -> None:
    handler = tmp_path / "handler"
    handler.mkdir()
    (handler / "bootstrap").write_text("#!/bin/sh\n")
    (handler / "bootstrap").chmod(0o700)
    build("aws", penguins, tmp_path / "out", python=PYTHON, form="zip", handler=handler)
    with zipfile.ZipFile(tmp_path / "out.zip") as opened:
        assert opened.getinfo("bootstrap").external_attr >> 16 == 0o100755


def test_an_unzipped_zip_answers(penguins: Path, tmp_path: Path) -> None:
    build("aws", penguins, tmp_path / "out", python=PYTHON, form="zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as opened:
        opened.extractall(tmp_path / "task")
    assert answer(tmp_path / "task") == "['Gentoo']"


def test_a_layer_holds_the_core_under_python_and_the_function_answers_with_it(penguins: Path, tmp_path: Path) -> None:
    made = build("aws", penguins, tmp_path / "out", python=PYTHON, form="layer")
    assert (made.folder / "app.py").is_file() and not (made.folder / "flyweight").exists()
    with zipfile.ZipFile(tmp_path / "out.layer.zip") as opened:
        assert all(name.startswith("python/") for name in opened.namelist())
        opened.extractall(tmp_path / "opt")
    assert answer(made.folder, tmp_path / "opt" / "python") == "['Gentoo']"


def test_a_form_that_a_provider_has_not_is_answered_with_those_it_has(penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="does not support form 'layer'") as refused:
        build("gcp", penguins, tmp_path / "out", python=PYTHON, form="layer")
    assert "folder, zip, image" in refused.value.next_step


@pytest.mark.parametrize(("provider", "arch"), [("gcp", "arm64"), ("azure", "arm64"), ("aws", "riscv64")])
def test_a_processor_that_a_provider_has_not_is_refused(provider: str, arch: str, penguins: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="does not support architecture"):
        build(provider, penguins, tmp_path / "out", arch=arch)


def test_the_zip_of_an_earlier_build_does_not_outlive_it_but_a_users_own_does(penguins: Path, tmp_path: Path) -> None:
    build("aws", penguins, tmp_path / "out", python=PYTHON, form="zip")
    (tmp_path / "out.layer.zip").write_text("mine")
    build("aws", penguins, tmp_path / "out", python=PYTHON)
    assert not (tmp_path / "out.zip").exists()
    assert (tmp_path / "out.layer.zip").read_text() == "mine"


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if targets.find(name).package.dockerfile is not None])
def test_an_image_has_a_dockerfile_of_known_instructions_on_a_pinned_base(provider: str, penguins: Path, tmp_path: Path) -> None:
    """As far as parsing goes, without hadolint (tests/targets/docker/test_image.py) and without an engine to build it."""
    folder = build(provider, penguins, tmp_path / "out", python="3.13", form="image").folder
    joined = (folder / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    words = [word for word, _ in lines]
    known = {"FROM", "ENV", "LABEL", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert words[0] == "FROM" and {*words} <= known
    base = lines[0][1]
    assert ":" in base and not base.endswith(":latest") and "3.13" in base  # DL3006, DL3007
    for word, rest in lines:
        assert word not in ("CMD", "ENTRYPOINT") or isinstance(json.loads(rest), list)  # DL3025
        assert word != "HEALTHCHECK" or isinstance(json.loads(rest.removeprefix("CMD ")), list)
        assert "pip install" not in rest or "--no-cache-dir" in rest  # DL3042
        if word == "COPY":
            source = rest.split()[0]
            assert source == "." or (folder / source).is_file()
    assert {"Dockerfile", ".dockerignore"} <= {*(folder / ".dockerignore").read_text().split()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_list_of_parts_names_model_and_core_and_is_the_same_each_time(provider: str, penguins: Path, tmp_path: Path) -> None:
    made = [build(provider, penguins, tmp_path / name, python=PYTHON) for name in ("a", "b")]
    texts = [(tmp_path / f"{name}.cdx.json").read_text() for name in ("a", "b")]
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert valid(texts[0])
    model = next(part for part in document["components"] if part["type"] == "machine-learning-model")
    assert model["hashes"] == [{"alg": "SHA-256", "content": made[0].sha256}]
    assert "pkg:pypi/flyweight@" in texts[0]
