"""`flyweight deploy vertex` and what comes after, by the real gcloud, with Google's APIs in their place."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flyweight.toolkit.cli import main
from tests.targets.gcp.gcloud import needs_gcloud
from tests.targets.gcp.google_api import PROJECT
from tests.targets.vertex.vertex_api import PLACE, REGION, VertexApi

pytestmark = needs_gcloud
Run = Callable[..., str]


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexApi]:
    """Google's APIs, to which gcloud is led; images are pushed nowhere."""
    with VertexApi() as made:
        for name in [name for name in os.environ if re.search("proxy|^CLOUDSDK", name, re.IGNORECASE)]:
            monkeypatch.delenv(name)
        for name, value in made.variables(tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        pushes = tmp_path / "bin" / "flyweight"
        pushes.parent.mkdir()
        pushes.write_text('#!/bin/sh\necho "$@" >> pushed\n')
        pushes.chmod(0o755)
        monkeypatch.setenv("PATH", f"{pushes.parent}{os.pathsep}{os.environ['PATH']}")
        yield made


@pytest.fixture
def run() -> Run:
    def ran(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--group", PROJECT])
        assert done.exit_code == 0, done.output + done.stderr
        return done.stdout

    return ran


def there(api: VertexApi, *versions: str) -> dict[str, Any]:
    """Put the model and the endpoint there, to which these versions are deployed; the last one has the traffic."""
    model = f"{PLACE}/models/penguins"
    kinds = ["DEDICATED_RESOURCES"]
    api.made[f"/v1/{model}"] = {"name": model, "versionId": versions[-1], "supportedDeploymentResourcesTypes": kinds}
    endpoint: dict[str, Any] = {
        "name": f"{PLACE}/endpoints/penguins",
        "deployedModels": [{"id": version, "model": model} for version in versions],
        "trafficSplit": {versions[-1]: 100},
        "labels": dict(zip(("live", "before"), reversed(versions), strict=False)),
    }
    api.made[f"/v1/{endpoint['name']}"] = endpoint
    return endpoint


def ids(endpoint: dict[str, Any]) -> list[str]:
    return [one["id"] for one in endpoint["deployedModels"]]


def test_the_next_version_gets_the_traffic_and_the_one_before_the_last_is_undeployed(
    api: VertexApi, run: Run, built: Callable[[str], Path]
) -> None:
    endpoint = there(api, "1", "2")
    given = ["--folder", str(built("vertex")), "--no-smoke", "--set", "MACHINE_TYPE=n1-standard-4"]
    told = json.loads(run("deploy", "vertex", *given, "--json"))
    assert told["url"] == f"https://{REGION}-aiplatform.googleapis.com/v1/{PLACE}/endpoints/penguins"
    assert endpoint["trafficSplit"] == {"3": 100} and endpoint["labels"] == {"live": "3", "before": "2"}
    assert ids(endpoint) == ["2", "3"]
    machine = endpoint["deployedModels"][-1]["dedicatedResources"]["machineSpec"]
    assert machine["machineType"] == "n1-standard-4"


def test_a_part_of_the_traffic_tries_a_version(api: VertexApi, run: Run, built: Callable[[str], Path]) -> None:
    endpoint = there(api, "1")
    run("deploy", "vertex", "--folder", str(built("vertex")), "--no-smoke", "--set", "TRAFFIC=10")
    assert endpoint["trafficSplit"] == {"2": 10, "1": 90} and ids(endpoint) == ["1", "2"]


def test_a_fresh_checkout_goes_back_to_the_version_that_the_endpoint_names(api: VertexApi, run: Run) -> None:
    endpoint = there(api, "1", "2")
    run("rollback", "vertex", "--name", "penguins", "--no-smoke")
    assert endpoint["trafficSplit"] == {"1": 100} and endpoint["labels"] == {"live": "1"}


def test_a_version_that_was_tried_is_chosen(api: VertexApi, run: Run) -> None:
    endpoint = there(api, "1", "2")
    endpoint["trafficSplit"] = {"1": 90, "2": 10}
    run("rollback", "vertex", "--name", "penguins", "--to", "2", "--no-smoke")
    assert endpoint["trafficSplit"] == {"2": 100} and endpoint["labels"] == {"live": "2"}


def test_nothing_is_left_when_it_is_destroyed(api: VertexApi, run: Run) -> None:
    there(api, "1", "2")
    run("destroy", "vertex", "--name", "penguins", "--yes")
    assert not [path for path in api.made if re.search(r"/(models|endpoints)/[^/]+$", path)]


def test_the_container_is_asked_where_the_protocol_answers(api: VertexApi, run: Run, built: Callable[[str], Path]) -> None:
    artifacts = "gs://models/penguins/penguins.safetensors"
    given = ["--set", f"ARTIFACTS={artifacts}", "--set", "OWN_ACCOUNT=true", "--set", "SETTINGS=FLYWEIGHT_MAX_INSTANCES=100"]
    run("deploy", "vertex", "--folder", str(built("vertex")), "--no-smoke", *given)
    (asked,) = api.sent("POST", "models:upload$")
    model = asked["model"]
    container = model["containerSpec"]
    assert container["ports"] == [{"containerPort": 8080}]
    assert (container["healthRoute"], container["predictRoute"]) == ("/vertex/ready", "/vertex/predict")
    assert model["artifactUri"] == "gs://models/penguins"
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "FLYWEIGHT_MAX_INSTANCES": "100",
        "FLYWEIGHT_MODEL": "$AIP_STORAGE_URI/penguins.safetensors",
    }
    (pushed,) = Path("pushed").read_text().splitlines()
    assert pushed.split()[3] == container["imageUri"]
    (policy,) = api.sent("PUT", "/b/models/iam$")
    (binding,) = policy["bindings"]
    assert binding["role"] == "roles/storage.objectViewer"
    (deployed,) = api.endpoint("penguins")["deployedModels"]
    assert binding["members"] == [f"serviceAccount:{deployed['serviceAccount']}"]
