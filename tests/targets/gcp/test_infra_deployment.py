"""The real gcloud, with Google's APIs in its place: the function deploys, its source answers, and the twin says the same."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flyweight.toolkit.building import build
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON
from tests.targets.gcp.gcloud import needs_gcloud
from tests.targets.gcp.google_api import PROJECT, REGION, GoogleApi, google_api
from tests.targets.gcp.test_infra_script import AROUND, SCRIPT, head
from tests.targets.handler import ROOT

FOLDER = ROOT / "infra" / "gcp"
OWN = f"serviceAccount:flyweight@{PROJECT}.iam.gserviceaccount.com"
CALLER = f"serviceAccount:flyweight-trigger@{PROJECT}.iam.gserviceaccount.com"
# What a role permits, and the line that needs it; who gets it for Google's own services has theirs documented.
USED = {
    "roles/storage.objectViewer": {"storage.objects.get": "shared/flyweight/stores/objects.py: self._library.get("},
    "roles/storage.objectCreator": {"storage.objects.create": "shared/flyweight/records/object_sink.py: store.put("},
    "roles/storage.objectUser": {
        "storage.objects.create": "shared/flyweight/files/scoring.py: self._target.put_stream(",
        "storage.objects.delete": "shared/flyweight/files/scoring.py: self._target.delete(",
        "storage.objects.get": "shared/flyweight/files/scoring.py: self._target.head(",
        "storage.objects.list": "shared/flyweight/files/scoring.py: self._target.keys(",
    },
    "roles/pubsub.publisher": {"pubsub.topics.publish": "handlers/gcp/gcp_sinks.py: topics/{topic}:publish"},
    "roles/run.invoker": {"run.routes.invoke": "infra/gcp/deploy.sh: --destination-run-service="},
    "roles/eventarc.eventReceiver": {"eventarc.events.receiveEvent": "infra/gcp/deploy.sh: storage.object.v1.finalized"},
}

pytestmark = needs_gcloud


def ran(command: list[str], api: GoogleApi, place: Path, cwd: Path = ROOT, **more: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not re.search("proxy|^CLOUDSDK", name, re.IGNORECASE)}
    environ = {**kept, **api.variables(place), **more}
    done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def deployed(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleApi]:
    """What `deploy.sh` left at Google with all that it may be asked for, but for budget and domain, which have no stand-in."""
    with google_api() as api:
        place = tmp_path_factory.mktemp("deployed")
        given = {**AROUND, "BUDGET": "", "DOMAIN": ""}
        ran(["bash", str(SCRIPT)], api, place, SOURCE=str(built("gcp")), PROJECT=PROJECT, **given)
        yield api


@pytest.fixture(scope="module")
def service(deployed: GoogleApi) -> dict[str, Any]:
    (found,) = deployed.sent("POST", "/namespaces/.*/services$")
    document: dict[str, Any] = found
    return document


def answers(folder: Path) -> Any:
    event = json.loads((ROOT / "events" / "gcp" / "predict.json").read_text())
    with runtime("gcp")(folder) as running:
        reply = running.invoke(event)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def bindings(api: GoogleApi) -> list[tuple[str, str, str, str]]:
    """Resource, member, role and condition of each right that was given."""
    found = []
    for method, path, document in api.asked:
        if document and ((method, path[-4:]) == ("PUT", "/iam") or path.endswith(":setIamPolicy")):
            for one in document.get("policy", document)["bindings"]:
                condition = one.get("condition", {}).get("expression", "")
                found += [(path, member, one["role"], condition) for member in one["members"]]
    return found


def test_the_source_that_gcloud_run_deploy_uploads_answers(deployed: GoogleApi, tmp_path: Path) -> None:
    assert answers(deployed.unpack(tmp_path))["model"] == {"name": "penguins", "version": "1.0.0"}
    (build,) = deployed.sent("POST", "builds:submit$")
    assert build["buildpackBuild"]["functionTarget"] == "predict"
    assert build["buildpackBuild"]["environmentVariables"] == {"SOURCE_DATE_EPOCH": "315619200"}


def test_the_source_that_gcloud_functions_deploy_uploads_answers(built: Callable[[str], Path], tmp_path: Path) -> None:
    flags = ["--gen2", "--runtime=python313", "--entry-point=predict", "--trigger-http", "--no-allow-unauthenticated"]
    command = ["gcloud", "functions", "deploy", "flyweight", f"--source={built('gcp')}", f"--region={REGION}", *flags]
    with google_api() as api:
        ran(command, api, tmp_path)
        (function,) = api.sent("POST", "/functions$")
        assert function["buildConfig"]["entryPoint"] == "predict"
        assert not [path for _, path, _ in api.asked if "setIamPolicy" in path]  # closed
        assert answers(api.unpack(tmp_path / "unpacked"))["model"]["name"] == "penguins"


def test_the_service_has_the_identity_and_the_settings_that_were_asked_for(service: dict[str, Any]) -> None:
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "FLYWEIGHT_MODEL": AROUND["MODEL"],
        "FLYWEIGHT_RESULTS": AROUND["RESULTS"],
        "FLYWEIGHT_OUTPUT": AROUND["OUTPUT"],
        "FLYWEIGHT_DEAD_LETTERS": AROUND["DEAD_LETTERS"],
        "FLYWEIGHT_EVENT_SENDERS": f"iam {CALLER.removeprefix('serviceAccount:')}",  # who calls it by the next test
        "FLYWEIGHT_EVENT_BUCKETS": AROUND["TRIGGER_BUCKET"],
    }
    assert f"serviceAccount:{service['spec']['template']['spec']['serviceAccountName']}" == OWN


def plain(service: dict[str, Any]) -> dict[str, Any]:
    """What of a service both twins say: without the build's own, the names of project and digest, and settings."""
    template = service["spec"]["template"]
    annotations = template["metadata"]["annotations"]
    kept = {name: str(annotations[name]).lower() for name in annotations if not re.search(r"/(base-images|client-)", name)}
    spec = {name: value for name, value in template["spec"].items() if value and name != "runtimeClassName"}
    (container,) = spec["containers"]
    image = container["image"].partition("@")[0].replace("my-project", PROJECT)
    limits = {"image": image, "limits": container["resources"]["limits"]}
    account = spec["serviceAccountName"].replace("my-project", PROJECT)
    return {
        "name": service["metadata"]["name"],
        "annotations": kept,
        **spec,
        "containers": limits,
        "serviceAccountName": account,
    }


def test_the_declarative_twin_says_what_the_script_does(service: dict[str, Any]) -> None:
    assert plain(yaml.safe_load((FOLDER / "service.yaml").read_text())) == plain(service)


def test_the_lines_at_the_head_of_the_declarative_twin_build_its_image_and_make_it(penguins: Path, tmp_path: Path) -> None:
    """The image's context arrives whole and answers; nobody waits for the build, whose log can't be led elsewhere."""
    told = [line.replace("my-project", PROJECT) for line in head(FOLDER / "service.yaml")]
    lines = [shlex.split(line) for line in told if line.startswith(("gcloud ", "flyweight "))]
    (submit,), (replace,) = [[words for words in lines if words[:2] == ["gcloud", verb]] for verb in ("builds", "run")]
    assert "flyweight build gcp --model penguins.safetensors --as image -o build/gcp-image".split() in lines
    build("gcp", penguins, tmp_path / "build" / "gcp-image", python=PYTHON, form="image")
    with google_api() as api:
        ran([*submit, "--async"], api, tmp_path, cwd=tmp_path)
        (asked,) = api.sent("POST", "/builds$")
        context = api.unpack(tmp_path / "context")
        ran(replace, api, tmp_path)
        (service,) = api.sent("POST", "/namespaces/.*/services$")
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert asked["images"] == [container["image"].replace("my-project", PROJECT)]
    dockerfile = (context / "Dockerfile").read_text()
    assert f"FROM python:{PYTHON}-" in dockerfile and '"--target=predict"' in dockerfile
    assert any(context.rglob("*.pyc"))
    assert answers(context)["model"] == {"name": "penguins", "version": "1.0.0"}


def test_each_right_is_on_a_named_resource_and_used_by_a_named_line(deployed: GoogleApi) -> None:
    given = bindings(deployed)
    assert {role for _, _, role, _ in given} == USED.keys()
    for permissions in USED.values():
        for place in permissions.values():
            file, _, line = place.partition(": ")
            assert line in (ROOT / file).read_text(), place
    for path, member, role, _ in given:
        assert member not in ("allUsers", "allAuthenticatedUsers")
        if role == "roles/eventarc.eventReceiver":  # Google gives it on projects only
            assert (path, member) == (f"/v1/projects/{PROJECT}:setIamPolicy", CALLER)
        else:
            assert re.search(r"/b/\w+/iam|/topics/\w+:|/services/\w+:", path), path
    read = {path: condition for path, member, role, condition in given if role == "roles/storage.objectViewer" and member == OWN}
    assert read["/storage/v1/b/models/iam"] == 'resource.name.startsWith("projects/_/buckets/models/objects/root/penguins/")'
    assert set(read) == {"/storage/v1/b/models/iam", "/storage/v1/b/files/iam"}


def test_events_come_from_the_topic_and_the_bucket_as_an_identity_that_may_only_call(deployed: GoogleApi) -> None:
    triggers = deployed.sent("POST", "/triggers$")
    filters = [{one["attribute"]: one["value"] for one in trigger["eventFilters"]} for trigger in triggers]
    folder = ROOT / "handlers" / "gcp"
    text = "".join((folder / f"{name}.py").read_text() for name in ("gcp_events", "gcp_cloudevents"))
    assert [one["type"] in text for one in filters] == [True, True]
    assert filters[1]["bucket"] == "files"
    assert {f"serviceAccount:{trigger['serviceAccount']}" for trigger in triggers} == {CALLER}
    assert {role for _, member, role, _ in bindings(deployed) if member == CALLER} == {
        "roles/run.invoker",
        "roles/eventarc.eventReceiver",
    }


def test_the_alert_is_on_the_lines_that_flyweight_writes(deployed: GoogleApi) -> None:
    (metric,) = deployed.sent("POST", "/metrics$")
    (policy,) = deployed.sent("POST", "/alertPolicies$")
    assert f"user/{metric['name']}" in policy["conditions"][0]["conditionThreshold"]["filter"]
    assert policy["notificationChannels"] == [AROUND["ALERT_CHANNEL"]]
    written = "".join(path.read_text() for path in (ROOT / "shared" / "flyweight").rglob("*.py"))
    messages = re.search(r'message=~"\^\((.*)\)"', metric["filter"])
    assert messages
    assert [text for text in messages[1].split("|") if text not in written] == []


def test_destroying_removes_what_the_script_made_and_nothing_of_others(deployed: GoogleApi, tmp_path: Path) -> None:
    """The last test here: it takes away what the others look at."""
    other = f"projects/{PROJECT}/serviceAccounts/other@{PROJECT}.iam.gserviceaccount.com"
    deployed.made[f"/v1/{other}"] = {"name": other, "email": other.rpartition("/")[2], "displayName": "of somebody else"}
    ran(["bash", str(SCRIPT), "--destroy"], deployed, tmp_path, PROJECT=PROJECT)
    gone = [path.rpartition("/")[2].partition("@")[0] for method, path, _ in deployed.asked if method == "DELETE"]
    assert gone == ["flyweight-topic", "flyweight-bucket", "flyweight", "flyweight-trigger", "flyweight"]
    ran(["bash", str(SCRIPT), "--dry-run", "--destroy"], deployed, tmp_path, PROJECT=PROJECT)
