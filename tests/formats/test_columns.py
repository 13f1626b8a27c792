"""A table, by columns or by rows, is answered as the same instances one by one are; parameters are read beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight import predictor
from flyweight.errors import FlyweightError, InvalidInput, MalformedRequest, TooLarge
from flyweight.formats import json as json_format
from flyweight.settings import Limits

NAMES = ["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "year"]
ROWS = [["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007], ["Torgersen", None, 18.7, 181, 3750, "male", 2007]]
COLUMNS = {name: [row[place] for row in ROWS] for place, name in enumerate(NAMES)}
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=8),
)


@pytest.fixture(scope="module")
def model(penguins: Path) -> predictor.Predictor:
    return predictor.load(str(penguins), Limits(max_instances=100))


def answered(model: predictor.Predictor, document: Any) -> Any:
    instances, outputs = json_format.instances_of(document, model.validator)
    return model.answer(model.validator.rows(instances), outputs)


@pytest.mark.parametrize(
    "document",
    [
        {"instances": COLUMNS},
        {"instances": dict(reversed(COLUMNS.items()))},
        {"columns": NAMES, "data": ROWS},
        {"columns": NAMES[::-1], "index": [7, 9], "data": [row[::-1] for row in ROWS]},
        json.loads(pd.DataFrame(ROWS, columns=NAMES).to_json(orient="split")),
        {"instances": ROWS, "parameters": {}},
        {"instances": ROWS, "parameters": None},
    ],
    ids=["columns", "in another order", "rows", "rows in another order", "pandas", "no parameters", "null"],
)
def test_a_table_is_answered_as_its_rows_are(model: predictor.Predictor, document: Any) -> None:
    assert answered(model, document) == answered(model, {"instances": ROWS})


def test_parameters_name_outputs_and_texts_as_the_keys_beside_instances_do(model: predictor.Predictor) -> None:
    asked = answered(model, {"instances": ROWS, "parameters": {"outputs": ["probabilities"]}})
    assert asked == answered(model, {"instances": ROWS, "outputs": ["probabilities"]})
    texts = [[None if value is None else str(value) for value in row] for row in ROWS]
    assert answered(model, {"columns": NAMES, "data": texts, "parameters": {"parse_text": True}}) == answered(model, ROWS)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"instances": {**COLUMNS, "year": [2007]}}, "feature 'year': expected 2 values, as 'island' has, got 1 values"),
        (
            {"instances": {**COLUMNS, "year": 2007}},
            "feature 'year': expected an array with one value for each instance, got 2007",
        ),
        ({"instances": {name: COLUMNS[name] for name in NAMES[1:]}}, "feature 'island'"),
        ({"columns": NAMES, "data": [ROWS[0], ROWS[1][1:]]}, "instance 1: expected an array of 7 values"),
        (
            {"columns": NAMES, "data": [ROWS[0], 3]},
            "instance 1: expected an array of 7 values, one for each of the columns, got 3",
        ),
        ({"columns": NAMES, "data": {}}, "expected an array of rows for 'data', got an object"),
        ({"columns": [1], "data": []}, "expected an array of names for 'columns', got an array of 1"),
        ({"instances": ROWS, "parameters": []}, "for 'parameters', got an array of 0"),
        ({"instances": ROWS, "parameters": {"proba": True}}, "for 'parameters', got proba"),
        ({"instances": dict(zip(NAMES, ROWS[0], strict=True))}, "or an array of instances, got an object"),
    ],
)
def test_a_table_that_is_not_one_is_refused_with_its_place(model: predictor.Predictor, document: Any, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        answered(model, document)
    assert words in str(caught.value)


def test_a_column_twice_is_refused(model: predictor.Predictor) -> None:
    with pytest.raises(MalformedRequest, match="twice"):
        answered(model, {"columns": [*NAMES, "year"], "data": []})


@pytest.mark.parametrize("document", [{"instances": {"year": [1] * 101}}, {"columns": ["year"], "data": [[1]] * 101}])
def test_too_many_instances_are_refused_before_they_are_made(model: predictor.Predictor, document: Any) -> None:
    with pytest.raises((TooLarge, InvalidInput)) as caught:
        answered(model, {**document, **({"columns": NAMES} if "columns" in document else {})})
    assert isinstance(caught.value, TooLarge)
    assert "101 instances, the limit is 100" in str(caught.value)


@given(ANY, ANY, ANY)
def test_no_table_raises_anything_but_errors_of_our_own(model: predictor.Predictor, first: Any, second: Any, third: Any) -> None:
    for document in (
        {"columns": first, "data": second},
        {"instances": first, "parameters": third},
        {"instances": {"year": first}},
    ):
        try:
            answered(model, document)
        except FlyweightError:
            pass
