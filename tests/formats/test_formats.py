"""Predictions are written as strict JSON, CSV or NDJSON, as the Accept header asks."""

from __future__ import annotations

import json
import math

import pytest

from flyweight import formats, strict_json
from flyweight.errors import NotAcceptable
from flyweight.values import Prediction

MODEL = {"name": "m", "version": "1"}
TWO = Prediction(["a", "b"], [[0.75, 0.25], [0.5, 0.5]], classes=["a", "b"])


def test_json_names_predictions_probabilities_classes_and_model() -> None:
    assert json.loads(formats.write(TWO, "application/json", MODEL)) == {
        "predictions": ["a", "b"],
        "probabilities": [[0.75, 0.25], [0.5, 0.5]],
        "classes": ["a", "b"],
        "model": MODEL,
    }


def test_absent_outputs_are_left_out() -> None:
    assert json.loads(formats.write(Prediction([1.5]), "application/json", MODEL)) == {"predictions": [1.5], "model": MODEL}


def test_no_answer_holds_a_nan_token() -> None:
    body = formats.write(Prediction([math.nan, [math.inf, 1.0], "x"]), "application/json", MODEL)
    assert json.loads(body, parse_constant=pytest.fail)["predictions"] == [None, [None, 1.0], "x"]


def test_a_lone_surrogate_does_not_crash_the_answer() -> None:
    assert strict_json.encode({"x": "\udfff"}) == b'{"x":"?"}'


def test_ndjson_is_one_record_a_line() -> None:
    lines = formats.write(TWO, "application/x-ndjson", MODEL).splitlines()
    assert [json.loads(line) for line in lines] == [
        {"prediction": "a", "probabilities": [0.75, 0.25]},
        {"prediction": "b", "probabilities": [0.5, 0.5]},
    ]


def test_csv_has_a_column_a_class() -> None:
    assert formats.write(TWO, "text/csv", MODEL).decode() == ("prediction,probability_a,probability_b\na,0.75,0.25\nb,0.5,0.5\n")


def test_csv_of_several_outputs_names_each() -> None:
    several = Prediction([["x", 1]], [[[1.0, 0.0], [0.5, 0.5]]], classes=[["x", "y"], [1, 2]])
    header = formats.write(several, "text/csv", MODEL).decode().splitlines()[0]
    assert header == "prediction_0,prediction_1,probability_0_x,probability_0_y,probability_1_1,probability_1_2"


def test_csv_of_scores_and_of_numbers_that_are_not_finite() -> None:
    assert (
        formats.write(Prediction([math.nan], scores=[[0.5]], classes=["a", "b"]), "text/csv", MODEL)
        == b"prediction,score_0\n,0.5\n"
    )


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV; q=0.5, application/json;q=0.4", "text/csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/*", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0, text/csv", "text/csv"),
        ("text/csv;q=nonsense, application/json;q=0.1", "application/json"),
    ],
)
def test_the_accept_header_chooses_the_content_type(accept: str, content_type: str) -> None:
    assert formats.negotiate(accept) == content_type


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "*/*;q=0", "nonsense"])
def test_an_accept_header_without_a_supported_type_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="application/json, text/csv"):
        formats.negotiate(accept)
