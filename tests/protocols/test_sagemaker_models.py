"""SageMaker loads, lists and unloads models of a running container by its own requests, within the memory that they share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flyweight.predictor import load, memory_of
from flyweight.serving.service import Service
from flyweight.settings import Caching, Settings
from tests.protocols.conftest import Caller

ON = ("sagemaker_models", "sagemaker", "native")
ROW = [[0.5, -0.2, 0.1]]
Unpacked = Callable[..., str]


@pytest.fixture
def unpacked(packed: Callable[..., Path], tmp_path: Path) -> Unpacked:
    """From a model's name to the folder into which SageMaker has unpacked it."""

    def folder(estimator: str, name: str = "") -> str:
        place = tmp_path / (name or estimator) / "model"
        place.mkdir(parents=True)
        shutil.copy(packed(estimator), place / "model.safetensors")
        return str(place)

    return folder


@pytest.fixture
def ask(penguins: Path) -> Caller:
    """A container whose own model is `penguins`, and which has loaded none else yet."""
    return Caller(Settings(str(penguins), protocols=ON))


def test_a_model_answers_from_when_it_is_loaded_until_it_is_unloaded(ask: Caller, unpacked: Unpacked) -> None:
    folder = unpacked("line")
    told = {"modelName": "a1b2", "modelUrl": folder}
    assert ask("POST", "/models/a1b2/invoke", ROW)[0] == 404
    assert ask("POST", "/models", {"model_name": "a1b2", "url": folder}) == (200, told)
    status, answer = ask("POST", "/models/a1b2/invoke", {"instances": ROW}, x_amzn_sagemaker_target_model="line.tar.gz")
    assert status == 200 and answer["predictions"] == [pytest.approx(0.4)]
    assert ask("GET", "/models") == (200, {"models": [told]})
    assert ask("GET", "/models/a1b2") == (200, told)
    assert ask("DELETE", "/models/a1b2") == (200, told)
    assert [ask(method, path)[0] for method, path in (("GET", "/models/a1b2"), ("DELETE", "/models/a1b2"))] == [404, 404]
    assert ask("POST", "/models/a1b2/invoke", ROW)[0] == 404
    assert ask("GET", "/models") == (200, {"models": []})


def test_models_that_are_loaded_side_by_side_all_have_their_names(penguins: Path) -> None:
    settings = Settings(str(penguins), protocols=ON)
    service = Service(settings, lambda fields: None)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        with ThreadPoolExecutor(8) as threads:
            names = [f"m{number}" for number in range(400)]
            list(threads.map(service.give, names, [f"/{name}/model.safetensors" for name in names]))
    finally:
        sys.setswitchinterval(usual)
    assert {*names} <= {*service.settings.models}


def test_of_two_requests_for_one_name_the_second_is_refused(ask: Caller, unpacked: Unpacked) -> None:
    body = {"model_name": "line", "url": unpacked("line")}
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns as often as they can
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(20):
                answers = [*threads.map(lambda _: ask("POST", "/models", body)[0], range(8))]
                assert sorted(answers) == [200, *[409] * 7]
                assert ask("DELETE", "/models/line")[0] == 200
    finally:
        sys.setswitchinterval(usual)


def test_a_model_that_is_unloaded_leaves_the_memory(ask: Caller, unpacked: Unpacked) -> None:
    folder = unpacked("line")
    ask("POST", "/models", {"model_name": "line", "url": folder})
    before = len(ask.service.models.entries())
    ask("DELETE", "/models/line")
    assert len(ask.service.models.entries()) == before - 1


def test_a_model_that_is_loaded_again_is_the_one_that_is_there_now(ask: Caller, unpacked: Unpacked, packed: Any) -> None:
    folder = unpacked("line")
    ask("POST", "/models", {"model_name": "m", "url": folder})
    assert ask("POST", "/models", {"model_name": "m", "url": folder})[0] == 409
    ask("DELETE", "/models/m")
    shutil.copy(packed("plane"), f"{folder}/model.safetensors")
    assert ask("POST", "/models", {"model_name": "m", "url": folder})[0] == 200
    assert len(ask("POST", "/models/m/invoke", ROW)[1]["predictions"][0]) == 2


def test_what_does_not_fit_is_answered_with_507_until_another_is_unloaded(
    unpacked: Unpacked, packed: Callable[..., Path]
) -> None:
    weights = [memory_of(load(str(packed(name)))) for name in ("line", "plane")]
    caching = Caching(cache_bytes=max(weights) + min(weights) // 2)
    ask = Caller(Settings(str(packed("line")), protocols=ON, caching=caching))
    first, second = unpacked("line"), unpacked("plane")
    assert ask("POST", "/models", {"model_name": "first", "url": first})[0] == 200
    status, answer = ask("POST", "/models", {"model_name": "second", "url": second})
    assert status == 507 and "FLYWEIGHT_CACHE_BYTES" in answer["error"]
    assert [one["modelName"] for one in ask("GET", "/models")[1]["models"]] == ["first"]
    assert ask("POST", "/models/first/invoke", ROW)[0] == 200
    assert ask("DELETE", "/models/first")[0] == 200
    assert ask("POST", "/models", {"model_name": "second", "url": second})[0] == 200


def test_a_model_that_is_larger_than_all_memory_is_answered_with_507(unpacked: Unpacked, penguins: Path) -> None:
    ask = Caller(Settings(str(penguins), protocols=ON, caching=Caching(cache_bytes=100)))
    assert ask("POST", "/models", {"model_name": "line", "url": unpacked("line")})[0] == 507
    assert ask("GET", "/models") == (200, {"models": []})


def test_a_model_that_can_not_be_loaded_has_no_name_afterwards(ask: Caller, tmp_path: Path, unpacked: Unpacked) -> None:
    assert ask("POST", "/models", {"model_name": "m", "url": str(tmp_path)})[0] == 503
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    assert ask("POST", "/models", {"model_name": "m", "url": str(tmp_path)})[0] == 503
    assert ask("GET", "/models") == (200, {"models": []})
    assert ask("POST", "/models", {"model_name": "m", "url": unpacked("line")})[0] == 200  # the failure is not remembered


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", [], {}, {"model_name": "m"}, {"model_name": "", "url": "/x"}, {"model_name": "a/b", "url": "/x"}]
    + [{"model_name": "m", "url": "s3://bucket/m"}, {"model_name": 1, "url": "/x"}],
)
def test_a_request_that_names_no_model_and_no_folder_is_refused(body: Any, ask: Caller) -> None:
    status, answer = ask("POST", "/models", body)
    assert status == 400 and "model_name" in answer["error"]


def test_other_methods_and_paths_are_those_of_the_protocols_behind_it(ask: Caller) -> None:
    assert ask("DELETE", "/models")[0] == ask("PUT", "/models/m")[0] == ask("GET", "/models/m/invoke")[0] == 405
    assert ask("GET", "/ping")[0] == 200
    assert ask("POST", "/models/m/predict", ROW)[0] == 404


@pytest.mark.parametrize("on", [(), ("native",)])
def test_nobody_loads_or_unloads_where_the_protocol_is_not_named_first(
    on: tuple[str, ...], penguins: Path, unpacked: Unpacked, packed: Callable[..., Path]
) -> None:
    ask = Caller(Settings(str(penguins), protocols=on, models={"kept": str(packed("line"))}))
    assert ask("POST", "/models", {"model_name": "m", "url": unpacked("plane")})[0] == 405
    assert ask("DELETE", "/models/kept")[0] == 405
    assert ask("GET", "/models") == (200, {"models": ["kept"]})
