"""KServe v1: rows by name or in order give native's labels; the path that it shares with TensorFlow Serving answers both."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.conftest import ROWS, Caller
from tests.protocols.test_open_inference import NAMES, ROW, json_values, rows_of_birds

PREDICT = "/v1/models/penguins:predict"
Model = Callable[..., Caller]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_birds, st.booleans())
def test_rows_have_the_labels_of_native(birds: Caller, rows: list[list[Any]], named: bool) -> None:
    native = birds("POST", "/predict", {"instances": rows})[1]["predictions"]
    given: list[Any] = [dict(zip(NAMES, row, strict=True)) for row in rows] if named else rows
    assert birds("POST", PREDICT, {"instances": given}) == (200, {"predictions": native})
    assert birds("POST", PREDICT, {"inputs": given}) == (200, {"predictions": native})


def test_an_object_of_columns_is_answered_as_tensorflow_serving_does(birds: Caller) -> None:
    columns = {name: [value, value] for name, value in zip(NAMES, ROW, strict=True)}
    assert birds("POST", PREDICT, {"inputs": columns}) == (200, {"outputs": ["Gentoo", "Gentoo"]})


@pytest.mark.parametrize(
    "order", [("kserve",), ("tensorflow_serving",), ("kserve", "tensorflow_serving"), ("tensorflow_serving", "kserve")]
)
def test_the_shared_path_means_the_same_whichever_protocol_has_it(order: tuple[str, ...], caller: Model) -> None:
    ask, path = caller("numbers", protocols=order), "/v1/models/numbers:predict"
    rows = ROWS[:2].tolist()
    assert [*ask("POST", path, {"instances": rows})[1]] == ["predictions"]
    assert [*ask("POST", path, {"inputs": rows})[1]] == ["predictions"]
    assert [*ask("POST", path, {"inputs": {"input": rows}})[1]] == ["outputs"]
    assert ask("POST", path, {"instances": [[1, 2]]})[0] == 400
    status = ask("GET", "/v1/models/numbers")[1]
    assert status["ready"] is True and status["model_version_status"][0]["state"] == "AVAILABLE"


def test_other_outputs_are_asked_for_by_parameters(birds: Caller) -> None:
    one = birds("POST", PREDICT, {"instances": [ROW], "parameters": {"outputs": ["probabilities"]}})[1]["predictions"]
    assert len(one) == 1 and sum(one[0]) == pytest.approx(1)
    body = {"instances": [ROW, ROW], "parameters": {"outputs": ["predictions", "scores"]}}
    several = birds("POST", PREDICT, body)[1]["predictions"]
    assert [[*row] for row in several] == [["predictions", "scores"]] * 2 and several[0]["predictions"] == "Gentoo"
    usual = {"instances": [ROW], "parameters": {"outputs": None}}
    assert birds("POST", PREDICT, usual) == (200, {"predictions": ["Gentoo"]})
    status, document = birds("POST", PREDICT, {"instances": [ROW], "parameters": {"outputs": ["shap"]}})
    assert status == 400 and "'shap'" in document["error"]


def test_a_model_of_one_feature_takes_bare_values(caller: Model) -> None:
    answer = caller("one")("POST", "/v1/models/one:predict", {"instances": [1, [2], {"x0": 3}]})
    assert answer[0] in (200, 400)
    assert caller("one")("POST", "/v1/models/one:predict", {"instances": [1, [2]]})[1]["predictions"] == pytest.approx([2, 4])


def test_a_missing_value_may_be_null_or_nan_and_an_answer_has_no_nan(birds: Caller) -> None:
    text = json.dumps({"instances": [[ROW[0], float("nan"), *ROW[2:]]]}).encode()
    null = birds("POST", PREDICT, {"instances": [[ROW[0], None, *ROW[2:]]]})
    assert b"NaN" in text and birds("POST", PREDICT, text) == null and null[0] == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b"{", "is not JSON"),
        (b"[1]", "the body should be"),
        (b'{"instances": [NaN', "is not JSON"),
        (b'{"instances": [], "instances": []}', "twice"),
        ({}, "expected {"),
        ({"instances": [], "inputs": []}, "expected {"),
        ({"instances": {}}, "instances should be an array"),
        ({"instances": []}, "at least one instance"),
        ({"instances": [ROW, ROW, ROW, [7, *ROW[1:]]]}, "instance 3, feature 'island': expected a string or null, got 7"),
        ({"instances": [ROW[1:]]}, "instance 0"),
        ({"inputs": "x"}, "instances should be an array"),
        ({"instances": [ROW], "parameters": 1}, "parameters should be an object"),
        ({"instances": [ROW], "signature_name": "other"}, "expected a signature_name among serving_default, predictions"),
        ({"instances": [[{"b64": "!"}, *ROW[1:]]]}, "expected base64"),
    ],
)
def test_a_wrong_body_is_refused_in_words(body: Any, words: str, birds: Caller) -> None:
    status, document = birds("POST", PREDICT, body)
    assert status == 400 and [*document] == ["error"] and words in document["error"], document


def test_another_media_type_is_refused_with_the_one_that_is_read(birds: Caller) -> None:
    status, document = birds("POST", PREDICT, b"a,b", content_type="text/csv")
    assert (status, document) == (415, {"error": "content type 'text/csv' is not one of application/json"})


@pytest.mark.parametrize(
    "content_type", ["", "application/octet-stream", "application/x-www-form-urlencoded", "application/json"]
)
def test_json_needs_no_content_type(content_type: str, caller: Model) -> None:
    from flyweight.settings import Limits

    ask = caller("numbers", limits=Limits(content_type="text/csv"))
    headers = {"content_type": content_type} if content_type else {}
    assert ask("POST", "/v1/models/numbers:predict", {"instances": ROWS[:1].tolist()}, **headers)[0] == 200


def test_health_and_the_list_are_the_protocols_own(caller: Model) -> None:
    ask = caller("numbers", protocols=("kserve",))
    assert ask("GET", "/") == (200, {"status": "alive"})
    assert ask("GET", "/v1/models") == (200, {"models": ["numbers"]})
    assert ask("GET", "/v1/models/absent")[0] == 404
    assert ask("GET", "/v1/models/numbers:predict")[0] == 405
    assert ask("POST", "/v1/models/numbers:explain", {})[0] == 404


def test_native_keeps_its_path_beside_it(caller: Model) -> None:
    ask = caller("numbers", protocols=("kserve", "native"))
    assert ask("GET", "/") == (200, {"status": "alive"})
    assert ask("POST", "/", {"instances": ROWS[:1].tolist()})[0] == 200


fuzzed = st.fixed_dictionaries(
    {},
    optional={
        "instances": st.lists(st.lists(st.floats() | json_values, min_size=3, max_size=3) | json_values, max_size=3)
        | json_values,
        "inputs": st.dictionaries(st.sampled_from(["x0", "x1", "input"]), st.lists(json_values, max_size=3) | json_values)
        | json_values,
        "signature_name": st.sampled_from(["serving_default", "all_outputs", "probabilities"]) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"outputs": json_values}) | json_values,
        "examples": st.lists(st.dictionaries(st.sampled_from(["x0", "x1"]), json_values) | json_values, max_size=3) | json_values,
        "context": json_values,
    },
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    fuzzed.map(lambda d: json.dumps(d).encode()) | st.binary(max_size=60),
    st.sampled_from([":predict", "/versions/1:predict", ":classify", ":regress"]),
    st.sampled_from(["numbers", "line"]),
)
def test_any_body_is_answered_or_refused_and_never_an_internal_error(caller: Model, body: bytes, verb: str, model: str) -> None:
    status, document = caller(model)("POST", f"/v1/models/{model}{verb}", body)
    assert status in (200, 400, 413) and (status == 200 or isinstance(document["error"], str)), document
