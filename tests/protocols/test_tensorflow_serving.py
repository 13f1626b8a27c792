"""TensorFlow Serving's REST API: rows, columns, classification and regression of examples, versions, metadata, NaN as a token."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from flyweight.predictor import Predictor
from tests.protocols.conftest import ROWS, Caller
from tests.protocols.test_open_inference import NAMES, ROW, rows_of_birds

MODEL = "/v1/models/penguins"
Model = Callable[..., Caller]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows_of_birds)
def test_columns_have_the_answers_of_native(birds: Caller, rows: list[list[Any]]) -> None:
    native = birds("POST", "/predict", {"instances": rows})[1]
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    assert birds("POST", f"{MODEL}:predict", {"inputs": columns}) == (200, {"outputs": native["predictions"]})
    body = {"inputs": columns, "parameters": {"outputs": ["predictions", "probabilities"]}}
    named = birds("POST", f"{MODEL}/versions/1.0.0:predict", body)[1]["outputs"]
    assert named == {name: native[name] for name in ("predictions", "probabilities")}
    nested = {name: [[value] for value in values] for name, values in columns.items()}
    assert birds("POST", f"{MODEL}:predict", {"inputs": nested})[1]["outputs"] == native["predictions"]


def test_several_outputs_of_rows_are_objects(birds: Caller) -> None:
    body = {"instances": [ROW], "signature_name": "all_outputs"}
    (row,) = birds("POST", f"{MODEL}/versions/0:predict", body)[1]["predictions"]
    assert [*row] == ["predictions", "probabilities", "scores"] and row["predictions"] == "Gentoo"


def test_one_input_may_hold_all_features(caller: Model) -> None:
    ask, rows = caller("numbers"), ROWS[:3].tolist()
    wanted = ask("POST", "/predict", {"instances": rows})[1]["predictions"]
    assert ask("POST", "/v1/models/numbers:predict", {"inputs": {"input": rows}})[1] == {"outputs": wanted}


def test_examples_are_classified_with_the_features_of_the_context(birds: Caller) -> None:
    example = dict(zip(NAMES, ROW, strict=True))
    whole = birds("POST", f"{MODEL}:classify", {"examples": [example, example]})
    year = example.pop("year")
    assert birds("POST", f"{MODEL}:classify", {"examples": [example, example], "context": {"year": year}}) == whole
    result = whole[1]["result"]
    assert len(result) == 2 and [label for label, _ in result[0]] == ["Adelie", "Chinstrap", "Gentoo"]
    assert max(result[0], key=lambda pair: pair[1])[0] == "Gentoo" and sum(score for _, score in result[0]) == pytest.approx(1)


def test_a_context_does_not_make_gigabytes_of_a_small_body(birds: Caller) -> None:
    body = {"context": {f"n{n}": 1 for n in range(3000)}, "examples": [{}] * 9999}
    status, document = birds("POST", f"{MODEL}:classify", body)
    assert status == 413 and "29997000 values of the instances would take" in document["error"]


def test_labels_of_a_classification_are_texts(caller: Model) -> None:
    ask = caller("numbers")
    names = [feature.name for feature in ask.service.models.get(ask.service.settings.model).model.predictor.signature.features]
    (pairs,) = ask("POST", "/v1/models/numbers:classify", {"examples": [dict(zip(names, ROWS[0].tolist(), strict=True))]})[1][
        "result"
    ]
    assert [label for label, _ in pairs] == ["0", "1"]


def test_examples_are_regressed(caller: Model) -> None:
    ask = caller("line")
    native = ask("POST", "/predict", {"instances": ROWS[:2].tolist()})[1]["predictions"]
    names = [feature.name for feature in ask.service.models.get(ask.service.settings.model).model.predictor.signature.features]
    examples = [dict(zip(names, row, strict=True)) for row in ROWS[:2].tolist()]
    assert ask("POST", "/v1/models/line:regress", {"examples": examples}) == (200, {"result": native})


@pytest.mark.parametrize(
    ("model", "verb"),
    [("line", "classify"), ("several", "classify"), ("numbers", "regress"), ("plane", "regress"), ("scaler", "regress")],
)
def test_a_verb_that_the_model_does_not_have_is_refused(model: str, verb: str, caller: Model) -> None:
    status, document = caller(model)("POST", f"/v1/models/{model}:{verb}", {"examples": [{}]})
    assert status == 400 and "send its rows to :predict" in document["error"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "for examples"),
        ({"examples": [1]}, "examples[0] should be an object"),
        ({"examples": [], "context": []}, "at least one instance"),
        ({"examples": [{}], "context": 1}, "context should be an object"),
        ({"examples": []}, "at least one instance"),
        ({"examples": [dict(zip(NAMES, ROW, strict=True)), {"island": "Dream"}]}, "instance 1"),
    ],
)
def test_wrong_examples_are_refused_in_words(body: Any, words: str, birds: Caller) -> None:
    status, document = birds("POST", f"{MODEL}:classify", body)
    assert status == 400 and words in document["error"], document


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "no input tensor"),
        ({"input": 1}, "should be an array with one value for each instance"),
        ({"input": [[1, 2], [3]]}, "of equal length"),
        ({"input": [[1, 2]]}, "has the shape [1, 2]"),
        ({"x0": [1, 2], "x1": [1]}, "has 2 instances"),
    ],
)
def test_wrong_columns_are_refused_in_words(inputs: Any, words: str, caller: Model) -> None:
    status, document = caller("numbers")("POST", "/v1/models/numbers:predict", {"inputs": inputs})
    assert status == 400 and words in document["error"], document


def test_a_text_may_be_in_base64(birds: Caller) -> None:
    text = {"b64": base64.b64encode(b"Biscoe").decode()}
    assert birds("POST", f"{MODEL}:predict", {"instances": [[text, *ROW[1:]]]}) == (200, {"predictions": ["Gentoo"]})


def test_nan_is_a_token_in_both_directions(caller: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = caller("line", protocols=("tensorflow_serving",))
    whole = Predictor.answer

    def infinite(self: Predictor, *arguments: Any) -> Any:
        return whole(self, *arguments)._replace(predictions=[math.nan, math.inf])

    monkeypatch.setattr(Predictor, "answer", infinite)
    for form in ("instances", "inputs"):
        rows: Any = ROWS[:2].tolist()
        ask("POST", "/v1/models/line:predict", {form: rows if form == "instances" else {"input": rows}})
        assert b"[NaN,Infinity]" in ask.last.body
    kserve = caller("line", protocols=("kserve",))
    assert kserve("POST", "/v1/models/line:predict", {"instances": ROWS[:2].tolist()})[1] == {"predictions": [None, None]}


def test_nan_in_a_body_is_a_missing_value(birds: Caller) -> None:
    text = json.dumps({"instances": [[ROW[0], math.nan, *ROW[2:]]]}).encode()
    null = birds("POST", f"{MODEL}/versions/1.0.0:predict", {"instances": [[ROW[0], None, *ROW[2:]]]})
    assert b"NaN" in text and birds("POST", f"{MODEL}/versions/1.0.0:predict", text) == null


def test_metadata_describes_each_signature(birds: Caller) -> None:
    document = birds("GET", f"{MODEL}/metadata")[1]
    assert document["model_spec"] == {"name": "penguins", "signature_name": "", "version": "1.0.0"}
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert [*signatures] == ["serving_default", "predictions", "probabilities", "scores", "all_outputs"]
    usual = signatures["serving_default"]
    assert [*usual["inputs"]] == NAMES and [*usual["outputs"]] == ["predictions"]
    assert usual["inputs"]["island"]["dtype"] == "DT_STRING" and usual["inputs"]["year"]["dtype"] == "DT_DOUBLE"
    assert [one["size"] for one in signatures["probabilities"]["outputs"]["probabilities"]["tensor_shape"]["dim"]] == ["-1", "3"]
    assert birds("GET", f"{MODEL}/versions/1.0.0/metadata")[1] == document


@pytest.mark.parametrize(
    "path", ["", ":", ":explain", "/nothing", "/versions", "/versions/1.0.0/nothing", "/labels/a/b:predict", "/metadata:predict"]
)
def test_an_unknown_path_is_refused_in_the_protocols_form(path: str, caller: Model) -> None:
    ask = caller("numbers", protocols=("tensorflow_serving",))
    status, document = ask("GET", f"/v1/models/absent{path}")
    assert (status, [*document]) == (404, ["error"])


def test_another_method_is_refused_in_the_protocols_form(birds: Caller) -> None:
    assert birds("GET", f"{MODEL}/versions/1.0.0:predict")[0] == 405
    assert birds.last.headers["allow"] == "POST, OPTIONS"
    assert birds("POST", f"{MODEL}/metadata", {})[0] == 405


def test_verbs_may_be_in_capitals(birds: Caller) -> None:
    assert birds("POST", f"{MODEL}/versions/1.0.0:Predict", {"instances": [ROW]})[0] == 200
