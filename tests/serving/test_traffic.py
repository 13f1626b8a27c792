"""A canary gets its share of requests, always the same ones; a shadow's answers are compared and never sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight.serving.service import Service
from flyweight.serving.traffic import differences, position
from flyweight.settings import Settings, TrafficSplit
from flyweight.values import Prediction, Request


class Endpoint:
    """A service over version 1, with a canary or a shadow."""

    def __init__(self, versions: dict[int, Path], **beside: TrafficSplit) -> None:
        self.logged: list[dict[str, Any]] = []
        self.service = Service(Settings(str(versions[1]), **beside), lambda entry: self.logged.append(dict(entry)))

    def ask(self, key: str | None = None, body: bytes = b'{"instances": [[0.0]]}') -> tuple[float, str]:
        """Get the answer, and the variant that gave it."""
        headers = {} if key is None else {"x-flyweight-key": key}
        response = self.service.answer(Request("POST", "/predict", headers, body))
        assert response.status == 200, response.body
        return json.loads(response.body)["predictions"][0], response.headers["x-flyweight-variant"]


def test_a_canary_answers_its_share_and_a_key_always_goes_to_one_model(versions: dict[int, Path]) -> None:
    endpoint = Endpoint(versions, canary=TrafficSplit(str(versions[2]), 0.25))
    answers = [endpoint.ask(f"caller {number}") for number in range(1000)]
    assert {*answers} == {(1.0, "primary"), (2.0, "canary")}
    assert 0.2 < sum(variant == "canary" for _, variant in answers) / 1000 < 0.3
    assert answers == [endpoint.ask(f"caller {number}") for number in range(1000)]
    assert {entry["variant"] for entry in endpoint.logged} == {"primary", "canary"}


def test_without_a_key_the_same_body_goes_to_one_model(versions: dict[int, Path]) -> None:
    endpoint = Endpoint(versions, canary=TrafficSplit(str(versions[2]), 0.5))
    bodies = [json.dumps([[float(number)]]).encode() for number in range(100)]
    first = [endpoint.ask(body=body) for body in bodies]
    assert {answer for answer, _ in first} == {1.0, 2.0}
    assert first == [endpoint.ask(body=body) for body in bodies]


@pytest.mark.parametrize(("share", "answer"), [(0.0, 1.0), (1.0, 2.0)])
def test_the_ends_of_the_scale_are_none_and_all(versions: dict[int, Path], share: float, answer: float) -> None:
    endpoint = Endpoint(versions, canary=TrafficSplit(str(versions[2]), share))
    assert {endpoint.ask(str(number))[0] for number in range(300)} == {answer}


def test_if_a_canary_can_not_be_loaded_the_primary_answers(versions: dict[int, Path], tmp_path: Path) -> None:
    endpoint = Endpoint(versions, canary=TrafficSplit(str(tmp_path / "absent.safetensors"), 1.0))
    assert endpoint.ask() == (1.0, "primary")
    assert "can't be read" in endpoint.logged[0]["canary"]


def test_a_shadow_is_compared_and_does_not_answer(versions: dict[int, Path]) -> None:
    endpoint = Endpoint(versions, shadow=TrafficSplit(str(versions[3]), 1.0))
    assert endpoint.ask() == (1.0, "primary")
    assert endpoint.logged[0]["shadow"] == {"model": "m/3.0.0", "instances": 1, "differ": 1, "largest": 2.0}


def test_if_a_shadow_fails_the_primary_answers(versions: dict[int, Path], penguins: Path) -> None:
    endpoint = Endpoint(versions, shadow=TrafficSplit(str(penguins), 1.0))
    assert endpoint.ask() == (1.0, "primary")
    assert endpoint.logged[0]["shadow"]["error"].startswith("InvalidInput")


def test_a_shadows_share_is_independent_of_the_canarys(versions: dict[int, Path]) -> None:
    endpoint = Endpoint(versions, canary=TrafficSplit(str(versions[2]), 0.5), shadow=TrafficSplit(str(versions[3]), 0.5))
    for number in range(400):
        endpoint.ask(str(number))
    both = [entry for entry in endpoint.logged if entry["variant"] == "canary" and "shadow" in entry]
    assert 50 < len(both) < 150, "a quarter: the positions of a request for both are independent"


def test_only_predictions_of_the_default_model_are_split(versions: dict[int, Path]) -> None:
    settings = Settings(str(versions[1]), canary=TrafficSplit(str(versions[2]), 1.0), models={"named": str(versions[4])})
    service = Service(settings, lambda entry: None)
    model = json.loads(service.answer(Request("GET", "/model", {}, b"")).body)
    assert model["version"] == "1.0.0"
    named = service.answer(Request("POST", "/models/named/predict", {}, b"[[0.0]]"))
    assert json.loads(named.body)["predictions"] == [4.0] and "x-flyweight-variant" not in named.headers


def test_the_position_of_a_request_never_changes() -> None:
    """Another release, or another machine, must not send callers to the other model in the middle of a rollout."""
    request = Request("POST", "/predict", {"x-flyweight-key": "alice"}, b"")
    assert position(request, "canary") == pytest.approx(0.80839, abs=1e-5)


def test_differences_are_counted_by_instance_and_measured_in_every_output(tmp_path: Path) -> None:
    one = Prediction(["a", "b", "c"], [[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]], classes=["a", "b"])
    other = Prediction(["a", "a", "c"], [[0.5, 0.5], [0.7, 0.3], [0.9, 0.1]], classes=["a", "b"])
    assert differences(one, other) == {"instances": 3, "differ": 1, "largest": pytest.approx(0.6)}
    nan = float("nan")
    assert differences(Prediction([nan, 1.0]), Prediction([nan, nan])) == {"instances": 2, "differ": 1, "largest": 0.0}


def test_named_features_are_compared_by_name(tmp_path: Path) -> None:
    """A shadow with its columns in another order gets each value under its name."""
    import pandas as pd

    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["left", "right"])
    y = (X["left"] > 0).astype(int)
    for name, columns in (("one", ["left", "right"]), ("other", ["right", "left"])):
        flyweight.pack(LogisticRegression().fit(X[columns], y), tmp_path / f"{name}.safetensors", sample=X[columns], name=name)
    settings = Settings(str(tmp_path / "one.safetensors"), shadow=TrafficSplit(str(tmp_path / "other.safetensors"), 1.0))
    logged: list[Any] = []
    Service(settings, logged.append).answer(Request("POST", "/predict", {}, b'[{"left": 2.0, "right": -1.0}]'))
    assert logged[0]["shadow"]["differ"] == 0 and logged[0]["shadow"]["largest"] < 1e-6
