"""The wheel carries what a user without a checkout needs: handlers, infra and events, from which it builds folders."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PYTHON, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked as pip would."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_it_has_the_folders_that_travel_beside_the_package(installed: Path) -> None:
    data = installed / "flyweight" / "toolkit" / "data"
    events = ("events/cases.json", "events/http/predict.json", "events/azure/predict.json")
    for name in ("handlers/aws/app.py", "handlers/gcp/.gcloudignore", "infra/aws/template.yaml", *events):
        assert (data / name).is_file()


def test_it_has_no_dependency_of_its_own(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    needed = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist:")]
    assert needed and all("extra ==" in line for line in needed)


def test_it_builds_the_same_folder_as_the_checkout(installed: Path, penguins: Path, tmp_path: Path) -> None:
    from flyweight.toolkit.building import build

    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from flyweight.toolkit.building import build; import flyweight; "
        f"assert flyweight.__file__.startswith({str(installed)!r}); "
        f"build('aws', {str(penguins)!r}, {str(tmp_path / 'theirs')!r}, python={PYTHON!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    build("aws", penguins, tmp_path / "ours", python=PYTHON)
    assert contents(tmp_path / "theirs") == contents(tmp_path / "ours")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
