"""Values are frozen, compare by content, and have a readable repr."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from flyweight.errors import Fault, InvalidSetting
from flyweight.predictor import load
from flyweight.settings import Limits, Settings, read
from flyweight.values import Prediction, Request, Value


def test_a_value_has_names_defaults_and_a_repr() -> None:
    request = Request("GET", "/", {}, b"")
    assert request.request_id == "" and request.path == "/"
    assert request == Request(method="GET", path="/", headers={}, body=b"")
    assert (
        repr(Prediction([1]))
        == "Prediction(predictions=[1], probabilities=None, scores=None, score_samples=None, transformed=None, classes=None)"
    )


def test_a_value_can_not_be_changed() -> None:
    request = Request("GET", "/", {}, b"")
    with pytest.raises(AttributeError):
        request.path = "/x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        request.other = 1  # type: ignore[attr-defined]
    assert request._replace(path="/x").path == "/x"
    assert request.path == "/"


def test_a_value_takes_exactly_its_fields() -> None:
    for values, named in (((), {}), (("GET", "/", {}, b"", "id", "query", "more"), {}), (("GET", "/", {}, b""), {"more": 1})):
        with pytest.raises(TypeError, match="Request takes method, path, headers, body, request_id, query"):
            Request(*values, **named)  # type: ignore[arg-type]


def test_methods_survive() -> None:
    class Point(Value):
        x: int
        y: int = 2

        def total(self) -> int:
            return self.x + self.y

    assert Point(1).total() == 3


def test_what_requests_may_hold_is_a_setting() -> None:
    limits = read("/folder", {"FLYWEIGHT_UNKNOWN_FEATURES": "ignore", "FLYWEIGHT_PARSE_TEXT": "true"}).limits
    assert limits == Limits(unknown_features="ignore", parse_text=True)
    assert read("/folder", {"FLYWEIGHT_PARSE_TEXT": "false"}).limits == Limits()
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_UNKNOWN_FEATURES should be error or ignore, got 'drop'"):
        read("/folder", {"FLYWEIGHT_UNKNOWN_FEATURES": "drop"})
    with pytest.raises(InvalidSetting, match="FLYWEIGHT_PARSE_TEXT should be true or false, got 'yes'"):
        read("/folder", {"FLYWEIGHT_PARSE_TEXT": "yes"})


def test_settings_come_from_the_environment() -> None:
    assert read("/folder", {}) == Settings("/folder/model.safetensors", "", Limits())
    variables = {"FLYWEIGHT_MODEL": "other", "FLYWEIGHT_MAX_INSTANCES": "5", "FLYWEIGHT_OBSERVABILITY": "powertools"}
    assert read("/folder", variables) == Settings("/folder/other", "powertools", Limits(max_instances=5))
    assert read("/folder", {"FLYWEIGHT_MODEL": "/abs"}).model == "/abs"


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many"])
def test_a_limit_is_a_whole_number_above_zero(text: str) -> None:
    with pytest.raises(ValueError, match="FLYWEIGHT_MAX_BODY_BYTES should be a whole number above zero"):
        read("/folder", {"FLYWEIGHT_MAX_BODY_BYTES": text})


def test_a_value_crosses_processes(penguins: Path) -> None:
    signature = load(str(penguins)).signature
    for value in (Request("GET", "/", {}, b""), Fault("a number", "'x'"), signature, signature.features[0], Settings("m")):
        assert pickle.loads(pickle.dumps(value)) == value == copy.copy(value) == copy.deepcopy(value)
        assert type(copy.copy(value)) is type(value)
