"""MLflow's tables, split or in records, by rows or by columns, with parameters or as CSV, give native's answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from flyweight import __version__
from tests.protocols.conftest import ROWS, Caller

NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
TABLE = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007], ["Torgersen", None, 18.7, 181, 3750, "male", 2007]]
FRAME = pd.DataFrame(TABLE, columns=NAMES)
COLUMNS = {name: [row[place] for row in TABLE] for place, name in enumerate(NAMES)}
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in TABLE]


@pytest.mark.parametrize(
    "document",
    [
        {"dataframe_split": json.loads(FRAME.to_json(orient="split"))},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in TABLE]}},
        {"dataframe_split": {"data": TABLE}},
        {"dataframe_records": RECORDS},
        {"instances": RECORDS},
        {"instances": COLUMNS},
        {"inputs": COLUMNS},
        {"inputs": TABLE, "params": {}},
        {"inputs": TABLE, "params": None},
        TABLE,
    ],
    ids=lambda document: " ".join(document) if isinstance(document, dict) else "rows",
)
def test_every_form_of_a_table_has_the_labels_of_native(birds: Caller, document: Any) -> None:
    native = birds("POST", "/predict", {"instances": TABLE})[1]
    assert birds("POST", "/invocations", document) == (200, {"predictions": native["predictions"]})
    assert birds.last.headers["content-type"] == "application/json"


def test_not_a_number_is_a_missing_value(birds: Caller) -> None:
    """The client of MLflow writes NaN where a value is missing."""
    body = json.dumps({"dataframe_split": {"columns": NAMES, "data": TABLE}}).replace("null", "NaN")
    assert birds("POST", "/invocations", body.encode())[1] == birds("POST", "/invocations", TABLE)[1]


def test_params_name_outputs(birds: Caller) -> None:
    native = birds("POST", "/predict", {"instances": TABLE})[1]
    asked = {"inputs": TABLE, "params": {"outputs": ["predictions", "probabilities"]}}
    pairs = zip(native["predictions"], native["probabilities"], strict=True)
    expected = [{"prediction": label, "probabilities": row} for label, row in pairs]
    assert birds("POST", "/invocations", asked) == (200, {"predictions": expected})


def test_csv_with_and_without_a_header_is_read(birds: Caller) -> None:
    labels = birds("POST", "/predict", {"instances": TABLE})[1]["predictions"]
    for header in (NAMES, None):
        text = FRAME.to_csv(index=False, header=header is not None)
        status, answer = birds("POST", "/invocations", text.encode(), content_type="text/csv", accept="application/json")
        assert (status, answer) == (200, {"predictions": labels})


@pytest.mark.parametrize("media_type", ["application/vnd.apache.parquet", "application/x-parquet"])
def test_parquet_has_the_labels_of_native(birds: Caller, media_type: str) -> None:
    labels = birds("POST", "/predict", {"instances": TABLE})[1]["predictions"]
    assert birds("POST", "/invocations", FRAME.to_parquet(), content_type=media_type) == (200, {"predictions": labels})
    indexed = FRAME.set_axis([3, 1]).to_parquet()  # pandas writes this index as a column without a name
    assert birds("POST", "/invocations", indexed, content_type=media_type) == (200, {"predictions": labels})


@pytest.mark.parametrize(
    ("frame", "status", "words"),
    [
        (FRAME.drop(columns="island"), 400, "island"),
        (FRAME.assign(year=["x", "y"]), 400, "feature 'year': expected a number"),
        (pd.concat([FRAME] * 6000), 413, "more than 10000 instances"),
        (b"PAR1 and nothing else PAR1", 400, "the file is not Parquet"),
        (FRAME.to_parquet()[:-9], 400, "the file is not Parquet"),
    ],
    ids=["a column is missing", "texts for numbers", "too many", "no Parquet", "cut off"],
)
def test_parquet_of_another_table_is_refused_in_words(birds: Caller, frame: Any, status: int, words: str) -> None:
    body = frame if isinstance(frame, bytes) else frame.to_parquet()
    told = birds("POST", "/invocations", body, content_type="application/vnd.apache.parquet")
    assert told[0] == status and words in told[1]["message"], told


def test_one_feature_takes_bare_values(caller: Callable[..., Caller]) -> None:
    asked = caller("one")("POST", "/invocations", {"inputs": [1.5, -2.0]})
    assert asked[1]["predictions"] == pytest.approx([3.0, -4.0])


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"inputs": TABLE, "instances": TABLE}, "got an object with the keys inputs, instances"),
        ({"rows": TABLE}, "got an object with the keys rows"),
        ({"dataframe_split": TABLE}, "dataframe_split should be an object, got an array of 2"),
        ({"dataframe_split": {"columns": NAMES[1:], "data": [row[1:] for row in TABLE]}}, "'island'"),
        ({"dataframe_split": {"columns": NAMES, "data": [TABLE[0], TABLE[1][1:]]}}, "instance 1"),
        ({"dataframe_records": [RECORDS[0], {**RECORDS[1], "year": "x"}]}, "instance 1, feature 'year'"),
        ({"inputs": TABLE, "params": {"outputs": ["nothing"]}}, "predictions, probabilities"),
        ({"inputs": TABLE, "params": []}, "params should be an object"),
        ({"inputs": 3}, "inputs should be an array of instances, got 3"),
    ],
)
def test_a_wrong_table_is_a_400_with_its_place(birds: Caller, document: Any, words: str) -> None:
    status, answer = birds("POST", "/invocations", document)
    assert (status, {*answer}) == (400, {"error_code", "message"}) and words in answer["message"]


def test_health_and_version_are_told(birds: Caller) -> None:
    for path in ("/ping", "/version"):
        assert birds.service.answer(_get(path)).status == 200
    assert birds.service.answer(_get("/version")).body.decode() == __version__
    assert birds("POST", "/ping")[0] == 405 and birds.last.headers["allow"] == "GET, HEAD, OPTIONS"


def test_numbers_are_answered_as_numbers(caller: Callable[..., Caller]) -> None:
    ask = caller("plane")
    native = ask("POST", "/predict", {"instances": ROWS[:3].tolist()})[1]["predictions"]
    assert ask("POST", "/invocations", {"inputs": ROWS[:3].tolist()})[1] == {"predictions": native}


def _get(path: str) -> Any:
    from flyweight.values import Request

    return Request("GET", path, {}, b"")
