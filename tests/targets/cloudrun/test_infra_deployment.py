"""The real gcloud, with Google's APIs in its place: the service deploys, its source answers, and the twin says the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from flyweight.toolkit.building import build
from flyweight.toolkit.events import samples
from flyweight.toolkit.running import runtime
from tests.conftest import PYTHON
from tests.targets.gcp.gcloud import needs_gcloud
from tests.targets.gcp.google_api import PROJECT, GoogleApi, google_api
from tests.targets.gcp.test_infra_deployment import CALLER, OWN, USED, bindings, plain, ran
from tests.targets.gcp.test_infra_script import AROUND, head
from tests.targets.handler import ROOT

FOLDER = ROOT / "infra" / "cloudrun"
PROBES = ("livenessProbe",)

pytestmark = needs_gcloud


@pytest.fixture(scope="module")
def deployed(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleApi]:
    """What `deploy.sh` left at Google with all that it may be asked for, but for alert, budget and domain: they are gcp's."""
    with google_api() as api:
        given = {**AROUND, "ALERT_CHANNEL": "", "BUDGET": "", "DOMAIN": ""}
        place = tmp_path_factory.mktemp("deployed")
        ran(["bash", str(FOLDER / "deploy.sh")], api, place, SOURCE=str(built("cloudrun")), PROJECT=PROJECT, **given)
        yield api


@pytest.fixture(scope="module")
def service(deployed: GoogleApi) -> dict[str, Any]:
    (found,) = deployed.sent("POST", "/namespaces/.*/services$")
    document: dict[str, Any] = found
    return document


def answers(folder: Path) -> Any:
    with runtime("cloudrun")(folder) as running:
        reply = running.invoke(samples.read("cloudrun", "predict"))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def probes(service: dict[str, Any]) -> list[dict[str, Any]]:
    """The probes of a service, without what gcloud adds."""
    (container,) = service["spec"]["template"]["spec"]["containers"]
    return [{**container[name], "httpGet": {"path": container[name]["httpGet"]["path"]}} for name in PROBES]


def test_the_source_is_built_by_googles_python_without_a_function_and_answers(deployed: GoogleApi, tmp_path: Path) -> None:
    assert answers(deployed.unpack(tmp_path))["model"] == {"name": "penguins", "version": "1.0.0"}
    (asked,) = deployed.sent("POST", "builds:submit$")
    buildpack = asked["buildpackBuild"]
    assert "functionTarget" not in buildpack and buildpack["baseImage"] == f"python{PYTHON}".replace(".", "")
    assert buildpack["enableAutomaticUpdates"] is True
    entry = (tmp_path / "Procfile").read_text().removeprefix("web:").strip()
    assert buildpack["environmentVariables"] == {"GOOGLE_ENTRYPOINT": entry, "GOOGLE_PYTHON_VERSION": f"{PYTHON}.x"}


def test_google_patches_the_base_image(service: dict[str, Any]) -> None:
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    assert f"python{PYTHON}".replace(".", "") in annotations["run.googleapis.com/base-images"]


def test_the_declarative_twin_says_what_the_script_does(service: dict[str, Any]) -> None:
    twin = yaml.safe_load((FOLDER / "service.yaml").read_text())
    assert plain(twin) == plain(service)
    assert probes(twin) == probes(service)


def test_probes_that_are_taken_away_are_gone(built: Callable[[str], Path], tmp_path: Path) -> None:
    with google_api() as api:
        command = ["bash", str(FOLDER / "deploy.sh"), "--liveness-probe="]
        ran(command, api, tmp_path, SOURCE=str(built("cloudrun")), PROJECT=PROJECT)
        (service,) = api.sent("POST", "/namespaces/.*/services$")
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert not [name for name in PROBES if container.get(name)]


def test_each_right_is_one_that_a_function_gets_and_nobody_else_is_let_in(deployed: GoogleApi, service: dict[str, Any]) -> None:
    given = bindings(deployed)
    assert {role for _, _, role, _ in given} == USED.keys()
    assert {member for _, member, _, _ in given} <= {OWN, CALLER, "user:ada@example.com"}
    assert f"serviceAccount:{service['spec']['template']['spec']['serviceAccountName']}" == OWN


def test_the_lines_at_the_head_of_the_declarative_twin_build_its_image_and_make_it(penguins: Path, tmp_path: Path) -> None:
    told = [shlex.split(line.replace("my-project", PROJECT)) for line in head(FOLDER / "service.yaml")[3:]]
    (submit,), (replace,) = [[words for words in told if words[:2] == ["gcloud", verb]] for verb in ("builds", "run")]
    assert "flyweight build cloudrun --model penguins.safetensors --as image -o build/cloudrun-image".split() in told
    build("cloudrun", penguins, tmp_path / "build" / "cloudrun-image", python=PYTHON, form="image")
    with google_api() as api:
        ran([*submit, "--async"], api, tmp_path, cwd=tmp_path)
        (asked,) = api.sent("POST", "/builds$")
        context = api.unpack(tmp_path / "context")
        ran(replace, api, tmp_path)
        (service,) = api.sent("POST", "/namespaces/.*/services$")
    (container,) = service["spec"]["template"]["spec"]["containers"]
    assert asked["images"] == [container["image"].replace("my-project", PROJECT)]
    assert f"FROM python:{PYTHON}-" in (context / "Dockerfile").read_text()
    assert any(context.rglob("*.pyc")) and answers(context)["model"]["name"] == "penguins"
