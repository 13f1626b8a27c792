"""The container: what `inference_config` names is answered, and a request keeps the id of its caller."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import flyweight
from flyweight.toolkit import targets
from flyweight.toolkit.targets.azure_ml.runtime import Runtime
from tests.targets.handler import ROOT

ROW = ["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007]


@pytest.fixture(scope="module")
def process(built: Callable[[str], Path]) -> Iterator[Runtime]:
    with Runtime(built("azure_ml"), environ=Runtime.client("own")) as running:
        yield running


def test_the_routes_that_the_deployment_names_are_answered(process: Runtime) -> None:
    text = (ROOT / "infra" / "azure_ml" / "deployment-container.yml").read_text()
    routes = yaml.safe_load(text)["environment"]["inference_config"]
    image = targets.find("azure_ml").package.image
    assert image and {route["port"] for route in routes.values()} == {image.port}
    assert routes["liveness_route"]["path"] == image.health
    for name in ("liveness_route", "readiness_route"):
        assert process.invoke({"method": "GET", "path": routes[name]["path"]}).status == 200
    scored = process.invoke({"method": "POST", "path": routes["scoring_route"]["path"], "body": {"input_data": [ROW]}})
    assert json.loads(scored.body) == ["Gentoo"]


def test_the_scoring_route_is_described(process: Runtime) -> None:
    assert "/score" in json.loads(process.invoke({"method": "GET", "path": "/swagger.json"}).body)["paths"]


@pytest.mark.parametrize("name", ["x-request-id", "x-ms-client-request-id", "x-ms-request-id"])
def test_a_request_has_the_id_that_its_caller_gave(name: str, process: Runtime) -> None:
    answer = process.invoke({"method": "POST", "path": "/score", "headers": {name: f"of-{name}"}, "body": [ROW]})
    assert answer.headers["x-request-id"] == f"of-{name}"


def test_a_request_without_an_id_gets_one(process: Runtime) -> None:
    ids = {process.invoke({"method": "GET", "path": "/health"}).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2 and "" not in ids


def test_where_the_inference_server_is_not_installed_the_container_runs_by_default(built: Callable[[str], Path]) -> None:
    with Runtime(built("azure_ml")) as running:
        assert running.description.startswith("flyweight's server on Python ")


def test_the_page_shows_the_answer_to_the_request_that_it_makes(process: Runtime, penguins: Path) -> None:
    (shown,) = re.findall(
        r"^```text\n(.*?)^```", (ROOT / "docs" / "providers" / "azure_ml.md").read_text(), re.DOTALL | re.MULTILINE
    )
    body = {"instances": flyweight.load(penguins).file.document["sample"]["instances"][:1]}
    assert json.loads(process.invoke({"method": "POST", "path": "/score", "body": body}).body) == json.loads(shown)
