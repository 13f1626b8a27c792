"""Wheels for the targets' systems are found as pip finds them, and their size is what they and their requirements unpack to."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from flyweight.toolkit.pickles import wheels

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {}\n"


def make_wheel(folder: Path, name: str, version: str, tag: str) -> None:
    stem = f"{name.replace('-', '_')}-{version}"
    with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as file:
        file.writestr(f"{stem}.dist-info/METADATA", METADATA.format(name, version))
        file.writestr(f"{stem}.dist-info/WHEEL", WHEEL.format(tag))
        file.writestr(f"{stem}.dist-info/RECORD", "")


def test_wheels_are_matched_by_python_machine_and_glibc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision is pip's, over a folder of wheels instead of a registry."""
    make_wheel(tmp_path, "thing", "1.0", "cp313-cp313-manylinux_2_35_x86_64")
    make_wheel(tmp_path, "thing", "1.0", "cp312-cp312-manylinux2014_aarch64")
    make_wheel(tmp_path, "thing", "1.0", "cp311-cp311-manylinux_2_27_x86_64")
    make_wheel(tmp_path, "thing", "2.0", "py3-none-any")
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    pythons = [one for one in wheels.target_pythons() if one.target in ("aws", "gcp")]
    monkeypatch.setattr(wheels, "target_pythons", lambda: pythons)
    answers = {str(answer.runtime): answer for answer in wheels.wheels(["thing==1.0"])}
    fits = {name for name, answer in answers.items() if not answer.problem}
    assert fits == {"gcp 3.13 x86_64", "aws 3.12 aarch64", "gcp 3.11 x86_64"}
    assert answers["gcp 3.13 x86_64"].chosen == {"thing": "1.0"}
    size = wheels.wheels_size(answers["gcp 3.13 x86_64"])
    assert (size.measured, [*size.distributions]) == ("the wheels for gcp 3.13 x86_64", ["thing"])
    assert size.distributions["thing"] == (
        "1.0",
        len(METADATA.format("thing", "1.0")) + len(WHEEL.format("cp313-cp313-manylinux_2_35_x86_64")),
    )
    assert answers["aws 3.11 x86_64"].problem == "No matching distribution found for thing==1.0"
    monkeypatch.setattr(wheels, "target_pythons", lambda: pythons[:1])
    assert [answer.chosen for answer in wheels.wheels(["thing"])] == [{"thing": "2.0"}]


def test_a_registry_without_an_answer_is_not_a_missing_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", "/dev/null")
    with pytest.raises(wheels.RegistryUnreachable, match="can't ask"):
        wheels.wheels(["thing"])


def test_the_size_counts_files_and_required_distributions() -> None:
    size = wheels.installed_size(["scikit-learn", "no-such-thing"])
    assert size.absent == ("no-such-thing",)
    assert {"numpy", "scipy", "joblib", "threadpoolctl"} <= {*size.distributions}
    assert "pytest" not in size.distributions  # an extra
    folder = Path(np.__file__).parent
    files = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc")
    assert files < size.distributions["numpy"][1] < 2.5 * files
    assert size.bytes == sum(count for _, count in size.distributions.values())
