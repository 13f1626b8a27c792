"""The built folder as Vertex AI runs it: its port, its paths, a folder of artifacts; and the paths of the legacy AI Platform."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flyweight.toolkit.building import build
from flyweight.toolkit.building.folder import model_of
from flyweight.toolkit.errors import RuntimeFailed
from flyweight.toolkit.publishing.catalogue import file_at
from flyweight.toolkit.running import runtime
from flyweight.toolkit.targets.vertex.package import IMAGE, PACKAGE
from flyweight.toolkit.targets.vertex.runtime import HEALTH_ROUTE, PAYLOAD, PREDICT_ROUTE, Runtime
from tests.conftest import PYTHON
from tests.services.fixtures import Bucket, gs, servers
from tests.targets.handler import ROOT
from tests.versions import versions

__all__ = ["gs", "servers", "versions"]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def process(built: Callable[[str], Path]) -> Iterator[Runtime]:
    with Runtime(built("vertex")) as running:
        yield running


def post(path: str, document: Any, **headers: str) -> dict[str, Any]:
    return {"method": "POST", "path": path, "headers": {**JSON, **headers}, "body": json.dumps(document)}


def sample(folder: Path) -> dict[str, Any]:
    """The recorded sample of a folder's model: instances and predictions."""
    found: dict[str, Any] = file_at(model_of(folder)).document["sample"]
    return found


def answers_at(health: str, predict: str, process: Runtime) -> bool:
    """Whether the model is healthy at one path, and answers its sample as recorded at another."""
    recorded = sample(process.folder)
    assert process.invoke({"method": "GET", "path": health}).status == 200
    answer = process.invoke(post(predict, {"instances": recorded["instances"]}))
    return answer.status == 200 and bool(json.loads(answer.body) == {"predictions": recorded["predictions"]})


def test_it_answers_at_the_paths_that_the_script_names_and_at_those_of_an_image_without_routes(process: Runtime) -> None:
    assert answers_at(HEALTH_ROUTE, PREDICT_ROUTE, process)
    assert answers_at("/v1/endpoints/1/deployedModels/2", "/v1/endpoints/1/deployedModels/2:predict", process)


def test_it_answers_at_the_paths_of_the_legacy_ai_platform_whatever_model_and_version_are_called_there(
    built: Callable[[str], Path],
) -> None:
    health, predict = "/v1/models/birds/versions/first", "/v1/models/birds/versions/first:predict"
    given = {"AIP_MODEL_NAME": "birds", "AIP_VERSION_NAME": "first", "AIP_HEALTH_ROUTE": health, "AIP_PREDICT_ROUTE": predict}
    with Runtime(built("vertex"), environ=given) as process:
        assert answers_at(health, predict, process)


def test_the_routes_are_those_of_the_script() -> None:
    script = (ROOT / "infra" / "vertex" / "deploy.sh").read_text()
    assert re.search(rf"^health_route={HEALTH_ROUTE} predict_route={PREDICT_ROUTE}$", script, re.MULTILINE)


def test_the_server_listens_on_the_platforms_port_and_the_image_sets_no_variable_of_the_platform(process: Runtime) -> None:
    assert "PORT" not in process.variables() and process.variables()["AIP_HTTP_PORT"] == str(process.port)
    assert not [name for name in IMAGE.environ if name.startswith("AIP_")]


def test_a_dockerfile_leaves_the_platforms_variable_to_the_container() -> None:
    """Docker would put a value in its place when it builds the image, which is none then."""
    assert PACKAGE.dockerfile is not None
    assert r'ENV FLYWEIGHT_PORT="\$AIP_HTTP_PORT"' in PACKAGE.dockerfile("3.13", False).splitlines()


def test_a_request_above_the_platforms_limit_never_arrives(process: Runtime) -> None:
    with pytest.raises(RuntimeFailed, match="1572864"):
        process.invoke(post(PREDICT_ROUTE, {"instances": ["x" * PAYLOAD]}))
    assert PAYLOAD == 1.5 * (1 << 20)


def test_a_raw_prediction_has_the_type_that_the_caller_chose(process: Runtime) -> None:
    table = "island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\nBiscoe,46.1,13.2,211,4500,female,2007\n"
    headers = {"content-type": "text/csv", "accept": "text/csv"}
    answer = process.invoke({"method": "POST", "path": PREDICT_ROUTE, "headers": headers, "body": table})
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
    assert "Gentoo" in answer.body.decode()


def test_the_artifacts_of_the_platform_are_read_in_place_of_the_model_inside(
    built: Callable[[str], Path], versions: dict[int, Path], tmp_path: Path
) -> None:
    """A folder of this machine stands for the bucket; a whole bucket needs the store's library in the image, as below."""
    (tmp_path / "model.safetensors").write_bytes(versions[2].read_bytes())
    given = {"AIP_STORAGE_URI": str(tmp_path), "FLYWEIGHT_MODEL": "$AIP_STORAGE_URI/model.safetensors"}
    with Runtime(built("vertex"), environ=given) as process:
        answer = process.invoke(post(PREDICT_ROUTE, {"instances": [[0.0]]}))
        assert json.loads(answer.body) == {"predictions": [2.0]}
    with Runtime(built("vertex"), environ={**given, "AIP_STORAGE_URI": ""}) as process:  # the model inside answers
        assert process.invoke({"method": "GET", "path": "/model"}).body.count(b"penguins")


def test_artifacts_in_a_bucket_are_read_by_the_folder_of_a_model_in_a_bucket(
    gs: Bucket, versions: dict[int, Path], tmp_path: Path
) -> None:
    gs.open().put("copies/1/model.safetensors", versions[1].read_bytes(), None)
    folder = build("vertex", f"{gs.root}/copies/1/model.safetensors", tmp_path / "vertex", python=PYTHON, install=True).folder
    given = {**gs.variables, "AIP_STORAGE_URI": f"{gs.root}/copies/1", "FLYWEIGHT_MODEL": "$AIP_STORAGE_URI/model.safetensors"}
    given |= {"FLYWEIGHT_CACHE_DIR": str(tmp_path / "cache")}
    with runtime("vertex")(folder, environ=given) as process:
        answer = process.invoke(post(PREDICT_ROUTE, {"instances": [[0.0]]}))
        assert answer.status == 200, (answer.body, process.log())
        assert json.loads(answer.body) == {"predictions": [1.0]}
