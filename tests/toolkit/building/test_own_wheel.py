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
    for name in (
        "handlers/aws/app.py",
        "handlers/gcp/.gcloudignore",
        "handlers/cloudrun/Procfile",
        "infra/aws/template.yaml",
        *events,
    ):
        assert (data / name).is_file()


def test_it_has_no_dependency_of_its_own(installed: Path) -> None:
    (metadata,) = installed.glob("*.dist-info/METADATA")
    needed = [line for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist:")]
    assert needed and all("extra ==" in line for line in needed)


@pytest.mark.parametrize("target", ["aws", "cloudrun"])  # cloudrun's has modules of other handlers
def test_it_builds_the_same_folder_as_the_checkout(target: str, installed: Path, penguins: Path, tmp_path: Path) -> None:
    from flyweight.toolkit.building import build

    program = (
        f"import sys; sys.path.insert(0, {str(installed)!r}); from flyweight.toolkit.building import build; import flyweight; "
        f"assert flyweight.__file__.startswith({str(installed)!r}); "
        f"build({target!r}, {str(penguins)!r}, {str(tmp_path / 'theirs')!r}, python={PYTHON!r})"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    build(target, penguins, tmp_path / "ours", python=PYTHON)
    assert contents(tmp_path / "theirs") == contents(tmp_path / "ours")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_is_mounted_by_what_it_has_and_the_framework_alone(installed: Path, penguins: Path) -> None:
    """Nothing that the toolkit installs is needed in an application, which has the wheel without its extras."""
    program = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {{"joblib", "numpy", "pandas", "rich", "safetensors", "sklearn", "urllib3", "yaml", "uv"}}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
sys.path.insert(0, {str(installed)!r})
import flyweight
from django.conf import settings

settings.configure()
assert flyweight.__file__.startswith({str(installed)!r})
for make in (flyweight.asgi, flyweight.wsgi, flyweight.router, flyweight.blueprint, flyweight.urls):
    assert make({str(penguins)!r})
flyweight.urls({str(penguins)!r})[1].check() == [] or sys.exit("the check finds faults")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
