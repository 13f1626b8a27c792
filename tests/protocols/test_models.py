"""Paths name models, versions and labels: of the default model, of FLYWEIGHT_MODELS, and of a registry's addresses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flyweight.settings import Settings, TrafficSplit
from flyweight.toolkit.publishing import registry as registries
from tests.protocols.conftest import Caller

ROW = {"inputs": [{"name": "input", "shape": [1, 3], "datatype": "FP64", "data": [1, 2, 3]}]}


@pytest.fixture(scope="module")
def two(packed: Callable[..., Path]) -> Caller:
    """The model `numbers` in two versions, the second of which has another name in the settings, and `line`."""
    models = {"line": str(packed("line")), "older": str(packed("numbers", "0.9"))}
    return Caller(Settings(str(packed("numbers")), models=models))


def versions_of(answer: tuple[int, Any]) -> Any:
    return answer[1]["versions"]


def test_the_default_model_has_its_own_name_and_others_that_of_the_setting(two: Caller) -> None:
    assert two("GET", "/v2/models") == (200, {"models": ["numbers", "line", "older"]})
    assert two("GET", "/v2/models/numbers")[1]["name"] == "numbers"
    assert two("GET", "/v2/models/line")[1]["outputs"][0]["datatype"] == "FP64"


def test_versions_are_those_of_all_models_of_one_name(two: Caller) -> None:
    assert versions_of(two("GET", "/v2/models/numbers")) == ["1", "0.9"]
    assert two("POST", "/v2/models/numbers/infer", ROW)[1]["model_version"] == "1"
    for version in ("1", "0.9"):
        assert two("POST", f"/v2/models/numbers/versions/{version}/infer", ROW)[1]["model_version"] == version
    states = two("GET", "/v1/models/numbers")[1]["model_version_status"]
    assert [state["version"] for state in states] == ["1", "0.9"]
    (state,) = two("GET", "/v1/models/numbers/versions/0.9")[1]["model_version_status"]
    assert state["version"] == "0.9"


def test_an_unknown_version_is_refused_with_those_that_exist(two: Caller) -> None:
    status, document = two("POST", "/v2/models/numbers/versions/7/infer", ROW)
    assert (status, document) == (404, {"error": "the model 'numbers' has no version '7'; it has 1, 0.9"})
    assert two("GET", "/v2/models/line/versions/0.9")[0] == 404


@pytest.mark.parametrize("name", ["absent", "../numbers", "NUMBERS", "numbers%2F..", "%00"])
def test_an_unknown_model_is_refused(name: str, two: Caller) -> None:
    assert two("POST", f"/v2/models/{name}/infer", ROW)[0] == 404


def test_the_log_line_has_the_model_that_answered(two: Caller) -> None:
    two("POST", "/v2/models/numbers/versions/0.9/infer", ROW)
    assert (two.entries[-1]["model"], two.entries[-1]["version"]) == ("numbers", "0.9")
    assert two.last.headers["x-flyweight-model"] == "numbers/0.9"
    two("GET", "/v2/models")
    assert "model" not in two.entries[-1]


def test_the_index_tells_which_model_is_not_there(packed: Callable[..., Path], tmp_path: Path) -> None:
    caller = Caller(Settings(str(packed("numbers")), models={"gone": str(tmp_path / "gone.safetensors")}))
    rows = {row["name"]: row["state"] for row in caller("POST", "/v2/repository/index", {})[1]}
    assert rows == {"numbers": "READY", "gone": "UNAVAILABLE"}
    assert caller("GET", "/v2/models/gone/ready")[0] == 503
    assert versions_of(caller("GET", "/v2/models/numbers")) == ["1"]


def test_a_default_model_that_is_not_there_is_unavailable_and_not_unknown(tmp_path: Path) -> None:
    caller = Caller(Settings(str(tmp_path / "gone.safetensors")))
    for method, path in [("GET", "/v2/health/ready"), ("GET", "/v2/models/m/ready"), ("POST", "/v2/models/m/infer")]:
        status, document = caller(method, path, ROW)
        assert (status, [*document]) == (503, ["error"])
    assert caller("GET", "/v2/health/live")[0] == 200
    assert caller("GET", "/v2/models") == (200, {"models": []})


@pytest.fixture(scope="module")
def registry(packed: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Caller:
    """A registry with two versions of `numbers`: `prod` is the first, and the second is known by its number."""
    root = tmp_path_factory.mktemp("registry")
    address = f"file://{root}"
    registries.at(address).push(packed("numbers"), ["prod"])
    registries.at(address).push(packed("numbers", "2"), ["next"])
    return Caller(Settings(f"{address}/numbers@prod", models={"two": f"{address}/numbers/2"}))


def test_labels_are_the_aliases_of_addresses(registry: Caller) -> None:
    body = {"instances": [[1, 2, 3]]}
    assert registry("POST", "/v1/models/numbers/labels/prod:predict", body) == (200, {"predictions": [1]})
    assert registry.entries[-1]["version"] == "1"
    assert registry("POST", "/v1/models/numbers/versions/2:predict", body)[0] == 200
    assert registry.entries[-1]["version"] == "2"
    status, document = registry("GET", "/v1/models/numbers/labels/next")
    assert (status, document) == (404, {"error": "the model 'numbers' has no label 'next'; it has prod"})


def test_a_canary_answers_its_share_but_not_where_a_version_is_named(packed: Callable[..., Path]) -> None:
    settings = Settings(str(packed("numbers")), canary=TrafficSplit(str(packed("numbers", "2")), 1.0))
    caller = Caller(settings)
    assert caller("POST", "/v2/models/numbers/infer", ROW)[1]["model_version"] == "2"
    assert caller.entries[-1]["variant"] == "canary"
    assert caller("POST", "/v2/models/numbers/versions/1/infer", ROW)[1]["model_version"] == "1"
    assert caller("GET", "/v2/models/numbers")[1]["versions"] == ["1"]
