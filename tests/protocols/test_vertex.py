"""Vertex AI's requests, at the paths that the platform names or at its usual ones, give native's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flyweight.values import Request
from tests.protocols.conftest import Caller

TABLE = [["Biscoe", 46.1, 13.2, 211.0, 4500.0, "female", 2007.0], ["Torgersen", 39.1, 18.7, 181.0, 3750.0, "male", 2007.0]]
LABELS = ["Gentoo", "Adelie"]
USUAL = "/v1/endpoints/7/deployedModels/8"


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/alive")
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/answer")


def test_instances_are_answered_by_predictions(birds: Caller) -> None:
    assert birds("POST", f"{USUAL}:predict", {"instances": TABLE}) == (200, {"predictions": LABELS})
    asked = birds("POST", f"{USUAL}:predict", {"instances": TABLE, "parameters": {"outputs": ["predictions", "probabilities"]}})
    assert [row["prediction"] for row in asked[1]["predictions"]] == LABELS


def test_the_platforms_own_paths_are_served(birds: Caller, named: None) -> None:
    assert birds("GET", "/alive") == (200, {})
    assert birds("POST", "/answer", {"instances": TABLE}) == (200, {"predictions": LABELS})
    assert birds("GET", "/answer")[0] == 405 and birds("POST", "/alive")[0] == 405


def test_one_path_for_both_tells_them_apart_by_the_method(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/both")
    monkeypatch.setenv("AIP_PREDICT_ROUTE", "/both")
    assert birds("GET", "/both") == (200, {})
    assert birds("POST", "/both", {"instances": TABLE}) == (200, {"predictions": LABELS})


def test_health_has_its_path_with_and_without_predict(birds: Caller) -> None:
    assert birds("GET", USUAL) == birds("GET", f"{USUAL}:predict") == (200, {})
    assert birds("GET", "/v1/endpoints/7")[0] == 404


def test_a_raw_prediction_takes_csv(birds: Caller) -> None:
    body = "\n".join(",".join(map(str, row)) for row in TABLE).encode()
    headers = {"content-type": "text/csv; header=absent", "accept": "text/csv"}
    answer = birds.service.answer(Request("POST", f"{USUAL}:predict", headers, body))
    assert answer.status == 200 and answer.body.decode().splitlines()[1].startswith("Gentoo")


@pytest.mark.parametrize(
    ("document", "status", "words", "name"),
    [
        ({"instances": [TABLE[0], [*TABLE[1][:-1], "x"]]}, 400, "instance 1, feature 'year'", "INVALID_ARGUMENT"),
        ({"rows": TABLE}, 400, "got an object with the keys rows", "INVALID_ARGUMENT"),
        ({"instances": []}, 400, "at least one instance", "INVALID_ARGUMENT"),
        ({"instances": [TABLE[0]] * 100_000}, 413, "instances", "OUT_OF_RANGE"),
    ],
)
def test_a_fault_is_told_as_googles_apis_do(birds: Caller, document: Any, status: int, words: str, name: str) -> None:
    answered = birds("POST", f"{USUAL}:predict", document)
    error = answered[1]["error"]
    assert (answered[0], error["code"], error["status"]) == (status, status, name) and words in error["message"]


def test_an_unexpected_error_reveals_its_request_id_alone(birds: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("a secret")

    monkeypatch.setattr("flyweight.protocols._invocations.parse", fail)
    status, answer = birds("POST", f"{USUAL}:predict", {"instances": TABLE})
    assert (status, answer["error"]["status"]) == (500, "INTERNAL") and "secret" not in json.dumps(answer)
