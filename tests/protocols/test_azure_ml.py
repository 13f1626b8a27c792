"""Azure Machine Learning's bodies give native's answers, as an array; the page of the endpoint is described."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.protocols.conftest import ROWS, Caller

NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
TABLE = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007], ["Torgersen", None, 18.7, 181, 3750, "male", 2007]]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in TABLE]
COLUMNS = {name: [row[place] for row in TABLE] for place, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    "document",
    [
        {"data": TABLE},
        {"data": RECORDS},
        {"data": [row[::-1] for row in TABLE], "columns": NAMES[::-1]},
        {"input_data": TABLE},
        {"input_data": RECORDS},
        {"input_data": COLUMNS},
        {"input_data": {"columns": NAMES, "index": [0, 1], "data": TABLE}},
        {"input_data": {"columns": NAMES[::-1], "data": [row[::-1] for row in TABLE]}, "params": {}},
        {"Inputs": {"input_data": TABLE}, "GlobalParameters": 1.0},
        {"Inputs": {"data": RECORDS}},
        {"dataframe_split": {"columns": NAMES, "data": TABLE}},
        {"instances": TABLE},
        TABLE,
    ],
)
def test_every_form_of_a_body_has_the_labels_of_native(birds: Caller, document: Any) -> None:
    assert birds("POST", "/score", document) == (200, birds("POST", "/predict", {"instances": TABLE})[1]["predictions"])


def test_parameters_name_outputs(birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": TABLE})[1]
    status, answer = birds("POST", "/score", {"input_data": TABLE, "params": {"outputs": ["predictions", "probabilities"]}})
    assert status == 200 and [row["probabilities"] for row in answer] == native["probabilities"]


def test_numbers_are_answered_as_numbers(caller: Callable[..., Caller]) -> None:
    ask = caller("line")
    rows = ROWS[:3].tolist()
    assert ask("POST", "/score", {"data": rows})[1] == ask("POST", "/predict", rows)[1]["predictions"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"input_data": [RECORDS[0], {**RECORDS[1], "year": "x"}]}, "instance 1, feature 'year'"),
        ({"input_data": {"columns": NAMES, "data": [TABLE[0], []]}}, "instance 1"),
        ({"input_data": TABLE, "data": TABLE}, "got an object with the keys input_data, data"),
        ({"input_data": 3}, "for 'input_data.data', got 3"),
        ({"input_data": {}}, "an array of rows"),
        ({"Inputs": {"Inputs": TABLE}}, "Inputs"),
        ({"Inputs": {"data": {"data": {"data": TABLE}}}}, "data"),
        (3, "the body should be"),
    ],
)
def test_a_fault_is_told_as_azures_apis_do(birds: Caller, document: Any, words: str) -> None:
    status, answer = birds("POST", "/score", document)
    assert (status, {*answer["error"]}) == (400, {"code", "message"}) and words in answer["error"]["message"]


def test_the_endpoint_is_described(birds: Caller) -> None:
    status, document = birds("GET", "/swagger.json")
    assert status == 200 and document["info"] == {"title": "penguins", "version": "1.0.0"}
    body = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {*body["properties"]["input_data"]["items"]["oneOf"][0]["properties"]} == {*NAMES}
    assert birds("GET", "/score")[0] == 405
