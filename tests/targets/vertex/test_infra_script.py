"""`infra/vertex/deploy.sh`: gcloud takes each command, nothing is added unasked, what Google would refuse is refused."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flyweight import settings
from tests.targets.gcp.gcloud import complaints, needs_gcloud
from tests.targets.handler import ROOT
from tests.targets.vertex.shell_lines import SCRIPT, dry_run, flags, script, variables

TPU = {"MACHINE_TYPE": "ct5lp-hightpu-1t", "TPU_TOPOLOGY": "1x1", "REGION": "us-west1"}
GPU = {"MACHINE_TYPE": "g2-standard-4", "ACCELERATOR": "nvidia-l4,1"}
EVERYTHING = {
    **{"NAME": "penguins", "SOURCE": "a folder/vertex", "PROJECT": "a-project", "REGION": "us-central1", "REPOSITORY": "images"},
    **{"MIN_REPLICAS": "2", "MAX_REPLICAS": "5", "CPU_TARGET": "70", "TRAFFIC": "10", "LABELS": "team=ml,stage=prod"},
    **{"SETTINGS": "FLYWEIGHT_MAX_INSTANCES=100", "OWN_ACCOUNT": "true", "MODEL": "gs://models/root/penguins@prod"},
    **{"LOG_TABLE": "bq://a-project/logs/asked", "LOG_RATE": "0.1", "INVOKERS": "user:ada@example.com,group:ml@example.com"},
    "KMS_KEY": "projects/a-project/locations/us-central1/keyRings/ring/cryptoKeys/key",
}
# The only rights that the script gives: what each permits that we use, and the line that needs it
USED = {
    "roles/storage.objectViewer": {"storage.objects.get": "shared/flyweight/stores/objects.py: self._library.get("},
    "projects/a-project/roles/penguins_caller": {
        "aiplatform.endpoints.predict": 'shared/flyweight/toolkit/targets/vertex/deployment.py: Question(predict=":predict"'
    },
}
BATCH = {"INPUT": "gs://in/rows.jsonl", "OUTPUT": "gs://out/answers", "PROJECT": "a-project", "NAME": "penguins"}


@needs_gcloud
@pytest.mark.parametrize(
    "given", [{}, EVERYTHING, {**GPU, "PROJECT": "a-project"}, TPU, {"IMAGE": "a-registry/an-image:1"}], ids=len
)
def test_gcloud_takes_the_commands(given: dict[str, str], tmp_path: Path) -> None:
    asked = dict.fromkeys([*dry_run(**given), *dry_run("--destroy", **given)])
    lines = [line for line in asked if line.startswith("gcloud ")]
    assert len(lines) > 8
    assert complaints(lines, tmp_path) == []


@needs_gcloud
def test_gcloud_would_refuse_a_flag_that_it_does_not_have(tmp_path: Path) -> None:
    deploy = next(line for line in dry_run() if " deploy-model" in line)
    (complaint,) = complaints([deploy.replace("--machine-type", "--machine-typ3")], tmp_path)
    assert "--machine-typ3" in complaint


def test_every_variable_is_explained_and_reaches_a_command() -> None:
    head = SCRIPT.read_text().partition("set -euo")[0]
    assert [name for name in variables() if not re.search(rf"^# .*\b{name}\b", head, re.MULTILINE)] == []
    text = " ".join(shlex.join(shlex.split(line)) for line in dry_run(**EVERYTHING))
    values = [value for name, value in EVERYTHING.items() if name not in ("OWN_ACCOUNT", "SOURCE", "TRAFFIC", "INVOKERS")]
    assert [value for value in values if value not in text] == []
    assert "a folder/vertex.oci" in text and "0=10,2=90" in text


def test_a_tpu_belongs_to_its_machine_and_a_gpu_is_attached() -> None:
    (line,) = [line for line in dry_run(**TPU) if " deploy-model" in line]
    assert line.startswith("gcloud beta ai endpoints deploy-model") and "--accelerator" not in line
    told = flags([line], " deploy-model")
    assert (told["--machine-type"], told["--tpu-topology"]) == ("ct5lp-hightpu-1t", "1x1")
    assert flags(dry_run(**GPU), " deploy-model")["--accelerator"] == "type=nvidia-l4,count=1"


def test_settings_are_settings_and_the_platforms_folder_is_where_the_model_is_read() -> None:
    told = flags(dry_run(ARTIFACTS="gs://models/a/penguins.safetensors", SETTINGS="FLYWEIGHT_MAX_INSTANCES=7"), "models upload")
    environ = dict(pair.split("=", 1) for pair in told["--container-env-vars"].split(","))
    read = settings.read("", environ={**environ, "AIP_STORAGE_URI": "gs://copies/123/"})
    assert told["--artifact-uri"] == "gs://models/a"
    assert (read.limits.max_instances, read.model) == (7, "gs://copies/123/penguins.safetensors")
    assert settings.read("/app", environ=environ).model == "/app/model.safetensors"  # without artifacts: the model in the image


def test_each_right_is_on_a_named_resource_and_used_by_a_named_line() -> None:
    lines = dry_run(**EVERYTHING)
    given = [shlex.split(line) for line in lines if "add-iam-policy-binding" in line]
    roles = [next(word.removeprefix("--role=") for word in words if word.startswith("--role=")) for words in given]
    assert {*roles} == USED.keys()
    for permissions in USED.values():
        for place in permissions.values():
            file, _, line = place.partition(": ")
            assert line in (ROOT / file).read_text(), place
    made = flags(lines, "iam roles create")["--permissions"]
    assert made.split(",") == [*USED["projects/a-project/roles/penguins_caller"]]
    read = flags(lines, "buckets add-iam-policy-binding")
    assert read["--condition"].endswith('resource.name.startsWith("projects/_/buckets/models/objects/root/penguins/")')
    assert read["--member"] == "serviceAccount:penguins@a-project.iam.gserviceaccount.com"
    assert "allUsers" not in "".join(lines)


def test_nothing_is_given_to_anybody_unless_it_is_asked_for() -> None:
    assert not [line for line in dry_run(PROJECT="a-project") if "iam" in line]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"MODEL": "s3://models/penguins@prod"}, "a gs:// address"),
        ({"MODEL": "gs://models/penguins@prod"}, "set OWN_ACCOUNT=true or SERVICE_ACCOUNT"),
        ({"ARTIFACTS": "gs://models/penguins"}, "gs://BUCKET/FOLDER/FILE.safetensors"),
        ({"ARTIFACTS": "gs://m/a/p.safetensors", "MODEL": "gs://m/p@prod", "OWN_ACCOUNT": "true"}, "set MODEL or ARTIFACTS"),
        ({"OWN_ACCOUNT": "true", "NAME": "tiny"}, "6 to 30 letters"),
        ({"OWN_ACCOUNT": "true", "PROJECT": ""}, "set PROJECT as well"),
        ({"INVOKERS": "user:ada@example.com", "PROJECT": ""}, "set PROJECT as well"),
        ({"OWN_ACCOUNT": "yes"}, "true or false"),
        ({"TRAFFIC": "0"}, "TRAFFIC should be a whole number from 1 to 100"),
        ({"TRAFFIC": "ten"}, "TRAFFIC should be a whole number"),
        ({"MIN_REPLICAS": "0"}, "MIN_REPLICAS should be a whole number from 1"),
        ({"MIN_REPLICAS": "5"}, "MAX_REPLICAS should be a whole number from 5"),
        ({"ACCELERATOR": "nvidia-l4,many"}, "the count of ACCELERATOR"),
        ({"SETTINGS": "FLYWEIGHT_X=1,HUB_TOKEN=abc"}, "no secret"),
        ({"SETTINGS": "AIP_HTTP_PORT=81"}, "begins with AIP_"),
        *[
            ({name: value}, f"{name} should begin with a letter or digit")
            for name in ("NAME", "REGION", "REPOSITORY", "MACHINE_TYPE")
            for value in ("-x", "a b", "$(touch pwned)", "a\nb")
        ],
    ],
)
def test_what_google_would_refuse_is_refused_before_anything_runs(given: dict[str, str], told: str) -> None:
    done = script("--dry-run", **{"PROJECT": "a-project", **given})
    assert done.returncode == 2 and told in done.stderr and done.stdout == ""


def test_a_folder_of_another_target_and_an_unknown_option_are_refused(tmp_path: Path) -> None:
    (tmp_path / "flyweight.json").write_text(json.dumps({"target": "gcp", "runtime": "3.13"}, indent=2))
    done = script("--dry-run", SOURCE=str(tmp_path))
    assert done.returncode == 2 and "was not built for vertex; run: flyweight build vertex" in done.stderr
    assert "choose --upload, --batch or --destroy" in script("--dry-run", "--bath").stderr


def test_a_version_can_be_made_without_deploying_it() -> None:
    lines = dry_run("--upload")
    assert "models upload" in lines[-1] and not [line for line in lines if "endpoints" in line]


def job(**given: str) -> dict[str, Any]:
    """The document that a batch prediction is asked for with."""
    token, line = dry_run("--batch", **{**BATCH, **given})
    assert token == "gcloud auth print-access-token"
    words = shlex.split(line)
    assert words[-1].endswith(
        "europe-west1-aiplatform.googleapis.com/v1/projects/a-project/locations/europe-west1/batchPredictionJobs"
    )
    document: dict[str, Any] = json.loads(words[words.index("--data") + 1])
    return document


def test_a_batch_prediction_reads_lines_and_writes_lines() -> None:
    plain = job()
    assert plain["model"] == "projects/a-project/locations/europe-west1/models/penguins"
    assert plain["inputConfig"] == {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://in/rows.jsonl"]}}
    assert plain["manualBatchTuningParameters"] == {"batchSize": 64}
    machine = job(**GPU)["dedicatedResources"]["machineSpec"]
    assert machine == {"machineType": "g2-standard-4", "acceleratorType": "NVIDIA_L4", "acceleratorCount": 1}
    assert job(SERVICE_ACCOUNT="a@b.c")["serviceAccount"] == "a@b.c"


@pytest.mark.parametrize("given", [{"INPUT": ""}, {"OUTPUT": "answers"}, {"INPUT": 'gs://a/b"'}, {"BATCH": "0"}], ids=str)
def test_a_batch_prediction_without_files_is_refused(given: dict[str, str]) -> None:
    done = script("--dry-run", "--batch", **{**BATCH, **given})
    assert done.returncode == 2 and next(iter(given)) in done.stderr


def test_bash_and_shellcheck_find_no_fault() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    checker = Path(sys.executable).parent / "shellcheck"
    if not checker.exists():
        pytest.skip("bash -n has passed; shellcheck is not installed")
    done = subprocess.run([str(checker), str(SCRIPT)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
