"""`infra/gcp/deploy.sh`: gcloud takes the command, it is closed to the public, and the built folder arrives whole."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.gcloud import complaints, gcloud, needs_gcloud
from tests.infra.handler import PYTHON, ROOT, defines

SCRIPT = ROOT / "infra" / "gcp" / "deploy.sh"
EVERYTHING = {
    "NAME": "penguins",
    "SOURCE": "a folder/gcp",
    "PROJECT": "a-project",
    "REGION": "us-central1",
    "PUBLIC": "true",
    "SERVICE_ACCOUNT": "penguins@a-project.iam.gserviceaccount.com",
    "MEMORY": "1Gi",
    "CPU": "2",
    "CONCURRENCY": "1",
    "MIN_INSTANCES": "1",
    "MAX_INSTANCES": "3",
    "TIMEOUT": "60s",
    "SETTINGS": "FLYWEIGHT_MAX_INSTANCES=100,FLYWEIGHT_MAX_BODY_BYTES=1000",
}


def script(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The script as a user runs it, its variables set as given and not otherwise."""
    kept = {name: value for name, value in os.environ.items() if name not in EVERYTHING}
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True)


def dry_run(*arguments: str, **environ: str) -> str:
    done = script("--dry-run", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def flags(command: str) -> dict[str, str]:
    words = [word for word in shlex.split(command) if word.startswith("--")]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


@needs_gcloud
@pytest.mark.parametrize("environ", [{}, EVERYTHING], ids=["defaults", "every variable"])
def test_gcloud_takes_the_command(environ: dict[str, str], tmp_path: Path) -> None:
    assert complaints([dry_run("--execution-environment=gen1", **environ)], tmp_path) == []


@needs_gcloud
def test_gcloud_would_refuse_a_flag_that_it_does_not_have(tmp_path: Path) -> None:
    (complaint,) = complaints([dry_run("--cpu-bost")], tmp_path)
    assert "--cpu-boost" in complaint


def test_nobody_is_let_in_unless_public_is_chosen() -> None:
    assert "--no-allow-unauthenticated" in flags(dry_run())
    assert "--allow-unauthenticated" not in flags(dry_run())
    assert "--allow-unauthenticated" in flags(dry_run(PUBLIC="true"))
    assert script("--dry-run", PUBLIC="yes").returncode == 2


def test_every_variable_reaches_the_command() -> None:
    words = shlex.split(dry_run(**EVERYTHING))
    said = [word.partition("=")[2] or word for word in words]
    assert words[:4] == ["gcloud", "run", "deploy", "penguins"]
    assert [value for name, value in EVERYTHING.items() if name != "PUBLIC" and value not in said] == []
    for name in EVERYTHING:
        assert f"#   {name}" in SCRIPT.read_text() or f", {name} " in SCRIPT.read_text()  # and is explained


def test_the_entry_point_is_a_name_in_the_handlers_main_file() -> None:
    assert defines("gcp", "main.py", flags(dry_run())["--function"])


def test_the_base_image_is_the_python_that_build_compiles_for() -> None:
    assert flags(dry_run())["--base-image"] == f"python{PYTHON}".replace(".", "")


def test_a_folder_that_is_not_built_is_not_deployed(tmp_path: Path) -> None:
    done = script(SOURCE=str(tmp_path), PATH=os.environ["PATH"])
    assert done.returncode == 2
    assert "flyweight build gcp" in done.stderr


def test_bash_and_shellcheck_find_no_fault() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    checker = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if checker is None:
        pytest.skip("bash -n has passed; shellcheck is not installed")
    done = subprocess.run([checker, str(SCRIPT), str(ROOT / ".ci" / "install-sam")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@needs_gcloud
def test_gcloud_uploads_every_built_file(built: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(built("gcp"), tmp_path / "gcp")
    (tmp_path / "gcp" / ".git").mkdir()
    (tmp_path / "gcp" / ".git" / "config").write_text("")
    listed = set(gcloud("meta", "list-files-for-upload", str(folder), place=tmp_path).split())
    files = {str(path.relative_to(built("gcp"))) for path in built("gcp").rglob("*") if path.is_file()}
    assert listed == files - {".gcloudignore"}
    assert any(name.endswith(".pyc") for name in listed)
    assert "model.safetensors" in listed
