"""`infra/gcp/deploy.sh`: gcloud takes each command, nothing is open or added unasked, and the built folder arrives whole."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flyweight import settings
from flyweight.registry.addresses import parse
from tests.targets.gcp.gcloud import complaints, gcloud, needs_gcloud
from tests.targets.handler import PYTHON, ROOT, defines

SCRIPT = ROOT / "infra" / "gcp" / "deploy.sh"
EVERYTHING = {
    "NAME": "penguins",
    "SOURCE": "a folder/gcp",
    "PROJECT": "a-project",
    "REGION": "us-central1",
    "PUBLIC": "true",
    "PYTHON": "3.12",
    "SERVICE_ACCOUNT": "penguins@a-project.iam.gserviceaccount.com",
    "MEMORY": "1Gi",
    "CPU": "2",
    "CONCURRENCY": "1",
    "MIN_INSTANCES": "1",
    "MAX_INSTANCES": "3",
    "TIMEOUT": "60s",
    "NETWORK": "inner",
    "SUBNET": "functions",
    "VPC_EGRESS": "all-traffic",
    "KMS_KEY": "projects/a-project/locations/us-central1/keyRings/ring/cryptoKeys/key",
    "LABELS": "team=ml,stage=prod",
    "SETTINGS": "FLYWEIGHT_MAX_INSTANCES=100,FLYWEIGHT_MAX_BODY_BYTES=1000",
}
AROUND = {
    "OWN_ACCOUNT": "true",
    "MODEL": "gs://models/root/penguins@prod",
    "RESULTS": "pubsub://a-project/answers",
    "DEAD_LETTERS": "gs://dead/letters",
    "OUTPUT": "gs://out/answers",
    "DOMAIN": "api.example.com",
    "INVOKERS": "user:ada@example.com",
    "TRIGGER_TOPIC": "rows",
    "TRIGGER_BUCKET": "files",
    "ALERT_CHANNEL": "projects/a-project/notificationChannels/1",
    "BUDGET": "20EUR",
    "BILLING_ACCOUNT": "0X0X0X-0X0X0X-0X0X0X",
}


def script(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The script as a user runs it, its variables set as given and not otherwise."""
    kept = {name: value for name, value in os.environ.items() if name not in {**EVERYTHING, **AROUND}}
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environ}, capture_output=True, text=True)


def dry_run(*arguments: str, **environ: str) -> str:
    done = script("--dry-run", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def asked_for(*arguments: str, **environ: str) -> list[str]:
    """All commands of a deployment that asks for what may stand around a function."""
    return dry_run(*arguments, PROJECT="a-project", **environ).splitlines()


def head(path: Path) -> list[str]:
    """The lines of the comment at a file's head, continued lines joined."""
    comment = "\n".join(re.findall(r"^# *(.*)$", path.read_text().partition("\n\n")[0], re.MULTILINE))
    return re.sub(r"\\\n", "", comment).splitlines()


def flags(command: str) -> dict[str, str]:
    words = [word for word in shlex.split(command) if word.startswith("--")]
    return {name: value for name, _, value in (word.partition("=") for word in words)}


@needs_gcloud
def test_gcloud_takes_the_commands(tmp_path: Path) -> None:
    alone = [dry_run("--execution-environment=gen1", **environ) for environ in ({}, EVERYTHING)]
    around = [*asked_for(**AROUND), *asked_for(**{**AROUND, "RESULTS": "gs://results/rows"}), *asked_for("--destroy")]
    assert complaints([*dict.fromkeys([*alone, *around])], tmp_path) == []


@needs_gcloud
def test_gcloud_takes_the_lines_at_the_heads_of_the_other_files(tmp_path: Path) -> None:
    lines = [line for path in sorted(SCRIPT.parent.glob("*.yaml")) for line in head(path) if line.startswith("gcloud ")]
    assert len(lines) == 6
    assert complaints(lines, tmp_path) == []


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
    assert [value for name, value in EVERYTHING.items() if name not in ("PUBLIC", "PYTHON") and value not in said] == []
    assert "--base-image=python312" in words
    head = SCRIPT.read_text().partition("set -euo")[0]
    assert [name for name in [*EVERYTHING, *AROUND] if not re.search(rf"^# .*\b{name}\b", head, re.MULTILINE)] == []  # explained


def test_pages_of_other_origins_are_settings_that_the_function_reads() -> None:
    given = {"CORS_ORIGINS": "https://shop.example,https://*.shop.example", "CORS_HEADERS": "content-type,x-api-key"}
    words = flags(dry_run(**given, CORS_CREDENTIALS="true", CORS_MAX_AGE="60", SETTINGS="FLYWEIGHT_MAX_INSTANCES=100"))
    told = dict(pair.split("=", 1) for pair in words["--set-env-vars"].split(","))
    read = settings.read("", environ=told)
    assert read.limits.max_instances == 100 and read.cors is not None
    assert read.cors.cors_origins == ("https://shop.example", "https://*.shop.example")
    assert read.cors.cors_headers == ("content-type", "x-api-key")
    assert (read.cors.cors_credentials, read.cors.cors_max_age) == (True, 60)


def test_a_folder_that_was_built_for_another_provider_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flyweight.json").write_text(json.dumps({"target": "aws", "runtime": "3.13"}, indent=2))
    (tmp_path / "main.py").write_text("")
    done = script("--dry-run", SOURCE=str(tmp_path))
    assert done.returncode == 2 and "was not built for gcp" in done.stderr


def test_nothing_stands_around_the_function_unless_asked_for() -> None:
    assert len(asked_for()) == 1
    for name in set(AROUND) - {"OWN_ACCOUNT", "BILLING_ACCOUNT"}:
        needed = {"SERVICE_ACCOUNT": "own@a-project.iam.gserviceaccount.com", "BILLING_ACCOUNT": "0X0X0X-0X0X0X-0X0X0X"}
        assert len(asked_for(**needed, **{name: AROUND[name]})) > 1, name
        assert script("--dry-run", **needed, **{name: AROUND[name]}).returncode == 2, f"{name} without PROJECT"


def test_no_right_is_given_to_the_projects_default_identity() -> None:
    for name in ("MODEL", "RESULTS", "DEAD_LETTERS", "OUTPUT", "TRIGGER_BUCKET"):
        done = script("--dry-run", PROJECT="a-project", **{name: AROUND[name]})
        assert done.returncode == 2
        assert "OWN_ACCOUNT" in done.stderr


@pytest.mark.parametrize(
    ("output", "rights"),
    [
        ("", {"gs://files": "roles/storage.objectUser"}),
        ("gs://files/scored", {"gs://files": "roles/storage.objectUser"}),
        ("gs://out/scored", {"gs://files": "roles/storage.objectViewer", "gs://out": "roles/storage.objectUser"}),
    ],
)
def test_answers_to_files_can_be_written_where_they_go_and_nowhere_else(output: str, rights: dict[str, str]) -> None:
    lines = [shlex.split(line) for line in asked_for(OWN_ACCOUNT="true", TRIGGER_BUCKET="files", OUTPUT=output)]
    given = {words[4]: flags(shlex.join(words))["--role"] for words in lines if words[2] == "buckets"}
    assert given == rights


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"TRIGGER_BUCKET": "gs://files"}, "the bucket's name alone"),
        ({"OUTPUT": "answers"}, "gs://BUCKET/PREFIX"),
        ({"MODEL": "s3://models/penguins@prod"}, "a gs:// address"),
        ({"RESULTS": "queue:answers"}, "pubsub://PROJECT/TOPIC"),
        ({"NAME": "tiny"}, "6 letters"),
        ({"NAME": "penguins-of-the-far-south", "TRIGGER_TOPIC": "rows"}, "22 letters"),
        ({"BUDGET": "20EUR"}, "BILLING_ACCOUNT"),
        ({"NAME": "penguins-of-the-very-far-south-1"}, "30 letters"),
        ({"CORS_MAX_AGE": "60"}, "set CORS_ORIGINS as well"),
        ({"VPC_EGRESS": "all-traffic"}, "set NETWORK or SUBNET as well"),
        ({"SETTINGS": "FLYWEIGHT_X=1,HUB_TOKEN=abc"}, "no secret"),
        *[
            ({name: value}, f"{name} should begin with a letter or digit")
            for name in ("NAME", "REGION", "DOMAIN")
            for value in ("-x", "a b", "$(touch pwned)", "a;b", "a\nb")
        ],
    ],
)
def test_a_variable_that_google_would_refuse_in_the_middle_is_refused_before_anything_runs(
    variables: dict[str, str], told: str
) -> None:
    done = script("--dry-run", PROJECT="a-project", OWN_ACCOUNT="true", **variables)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("gs://models/root/penguins@prod", "root/penguins/"),
        ("gs://models/root/penguins/1.0.0", "root/penguins/1.0.0/"),
        ("gs://models/penguins.safetensors", "penguins.safetensors"),
    ],
)
def test_the_model_is_read_below_its_own_prefix_and_nowhere_else(model: str, prefix: str) -> None:
    right = next(line for line in asked_for(OWN_ACCOUNT="true", MODEL=model) if " buckets " in line)
    assert flags(right)["--condition"] == (
        f'title=flyweight,expression=resource.name.startsWith("projects/_/buckets/models/objects/{prefix}")'
    )
    address = parse(model)
    assert f"{address.root}/{address.key}".startswith(f"gs://models/{prefix}")


def test_the_entry_point_is_a_name_in_the_handlers_main_file() -> None:
    assert defines("gcp", "main.py", flags(dry_run())["--function"])


def test_the_base_image_is_the_python_that_build_compiles_for(tmp_path: Path) -> None:
    assert flags(dry_run())["--base-image"] == f"python{PYTHON}".replace(".", "")
    (tmp_path / "flyweight.json").write_text(json.dumps({"python": None, "runtime": "3.12"}, indent=2))
    assert flags(dry_run(SOURCE=str(tmp_path)))["--base-image"] == "python312"


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
