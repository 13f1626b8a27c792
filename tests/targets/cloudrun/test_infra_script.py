"""`infra/cloudrun/deploy.sh`: what it asks of gcloud beyond what the script of a function asks, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flyweight import settings
from tests.targets.gcp.gcloud import complaints, gcloud, needs_gcloud
from tests.targets.gcp.test_infra_script import AROUND, EVERYTHING, flags, head
from tests.targets.handler import PYTHON, ROOT

FOLDER = ROOT / "infra" / "cloudrun"
SCRIPT, FUNCTIONS = FOLDER / "deploy.sh", ROOT / "infra" / "gcp" / "deploy.sh"
OWN_FLAGS = {"--automatic-updates", "--liveness-probe"}


def script(path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {**EVERYTHING, **AROUND}}
    return subprocess.run(["bash", str(path), *arguments], cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True)


def lines(path: Path, *arguments: str, **environ: str) -> list[str]:
    done = script(path, "--dry-run", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_gcloud
def test_gcloud_takes_the_commands(tmp_path: Path) -> None:
    alone = [*lines(SCRIPT), *lines(SCRIPT, **EVERYTHING), *lines(SCRIPT, CPU_ALWAYS="true")]
    around = [*lines(SCRIPT, PROJECT="a-project", **AROUND), *lines(SCRIPT, "--destroy", PROJECT="a-project")]
    twin = [line for line in head(FOLDER / "service.yaml") if line.startswith("gcloud ")]
    assert len(twin) == 4
    assert complaints([*dict.fromkeys([*alone, *around, *twin])], tmp_path) == []


def test_it_deploys_a_server_and_no_function_on_a_base_image_that_google_patches() -> None:
    (ours,), (theirs,) = lines(SCRIPT), lines(FUNCTIONS)
    assert flags(ours).keys() - flags(theirs).keys() == OWN_FLAGS
    assert flags(theirs).keys() - flags(ours).keys() == {"--function"}
    assert flags(ours)["--base-image"] == flags(theirs)["--base-image"] == f"python{PYTHON}".replace(".", "")
    assert (flags(ours)["--source"], flags(ours)["--concurrency"]) == ("build/cloudrun", "80")


def test_a_service_may_have_its_cpu_between_requests_too() -> None:
    (usual,), (always,) = lines(SCRIPT), lines(SCRIPT, CPU_ALWAYS="true", MIN_INSTANCES="1")
    assert flags(always).keys() - flags(usual).keys() == {"--no-cpu-throttling"}
    assert lines(SCRIPT, "--destroy", CPU_ALWAYS="true") == lines(SCRIPT, "--destroy")


def test_google_is_told_what_to_start_and_which_python_to_build_with(built: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: python own.py --flag\n")
    (tmp_path / "flyweight.json").write_text(json.dumps({"target": "cloudrun", "runtime": "3.12"}, indent=2))
    entry = (built("cloudrun") / "Procfile").read_text().removeprefix("web:").strip()
    python = json.loads((built("cloudrun") / "flyweight.json").read_text())["runtime"]
    for folder, told, version in ((built("cloudrun"), entry, python), (tmp_path, "python own.py --flag", "3.12")):
        (line,) = lines(SCRIPT, SOURCE=str(folder))
        given = dict(pair.split("=", 1) for pair in flags(line)["--set-build-env-vars"].split(","))
        assert given == {"GOOGLE_ENTRYPOINT": told, "GOOGLE_PYTHON_VERSION": f"{version}.x"}
    (line,) = lines(SCRIPT, SOURCE=str(tmp_path / "not-built-yet"))
    assert f"GOOGLE_ENTRYPOINT={entry}," in flags(line)["--set-build-env-vars"]


def test_probes_of_ones_own_come_last_and_so_replace_ours() -> None:
    (line,) = lines(SCRIPT, "--liveness-probe=", "--quiet")
    assert shlex.split(line)[-2:] == ["--liveness-probe=", "--quiet"]


def test_everything_else_is_what_the_script_of_a_function_does() -> None:
    given = {"PROJECT": "a-project", **AROUND}
    deploys = [[line for line in lines(path, **given) if "gcloud run deploy" not in line] for path in (SCRIPT, FUNCTIONS)]
    assert deploys[0] == deploys[1] and len(deploys[0]) > 10
    assert lines(SCRIPT, "--destroy", PROJECT="a-project") == lines(FUNCTIONS, "--destroy", PROJECT="a-project")


def test_the_server_takes_as_many_connections_as_google_sends_requests_at_once() -> None:
    assert int(flags(lines(SCRIPT)[0])["--concurrency"]) < settings.serving({}).connections


def test_probes_of_the_twin_are_the_scripts() -> None:
    (container,) = yaml.safe_load((FOLDER / "service.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    told = flags(lines(SCRIPT)[0])
    assert "--startup-probe" not in told and "startupProbe" not in container
    for flag, name in (("--liveness-probe", "livenessProbe"),):
        probe = container[name]
        shown = {"httpGet.path": probe.pop("httpGet")["path"], **{key: str(value) for key, value in probe.items()}}
        assert dict(pair.split("=", 1) for pair in told[flag].split(",")) == shown


@pytest.mark.parametrize(("path", "target", "other"), [(SCRIPT, "cloudrun", "gcp"), (FUNCTIONS, "gcp", "cloudrun")])
def test_a_folder_of_the_other_form_is_refused(path: Path, target: str, other: str, built: Callable[[str], Path]) -> None:
    done = script(path, "--dry-run", SOURCE=str(built(other)))
    assert done.returncode == 2 and f"was not built for {target}; run: flyweight build {target} " in done.stderr


def test_a_folder_that_is_not_built_is_not_deployed(tmp_path: Path) -> None:
    done = script(SCRIPT, SOURCE=str(tmp_path))
    assert done.returncode == 2 and "flyweight build cloudrun" in done.stderr


def test_a_public_service_with_triggers_needs_the_library_that_checks_their_tokens(built: Callable[[str], Path]) -> None:
    done = script(SCRIPT, PROJECT="p", PUBLIC="true", TRIGGER_TOPIC="rows", SOURCE=str(built("cloudrun")))
    assert done.returncode == 2 and "add cryptography to handlers/cloudrun/requirements.txt" in done.stderr


def test_bash_and_shellcheck_find_no_fault() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    checker = Path(sys.executable).parent / "shellcheck"
    if not checker.exists():
        pytest.skip("bash -n has passed; shellcheck is not installed")
    done = subprocess.run([str(checker), str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_variable_with_a_default_is_explained() -> None:
    text = SCRIPT.read_text()
    names = re.findall(r'"\$\{([A-Z_]+):=', text)
    assert names and [name for name in names if not re.search(rf"^#   {name} ", text, re.MULTILINE)] == []


@needs_gcloud
def test_gcloud_uploads_every_built_file(built: Callable[[str], Path], tmp_path: Path) -> None:
    listed = {*gcloud("meta", "list-files-for-upload", str(built("cloudrun")), place=tmp_path).split()}
    files = {str(path.relative_to(built("cloudrun"))) for path in built("cloudrun").rglob("*") if path.is_file()}
    assert listed == files - {".gcloudignore"}
    assert any(name.endswith(".pyc") for name in listed) and "Procfile" in listed
