"""Columns that the model does not read or know, values of other libraries, and errors that name lines."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flyweight.errors import InvalidInput, MalformedRequest, problem
from flyweight.formats import RECORD_PARSERS, parse
from flyweight.models import arrays
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.protocols.openapi import instance_schema
from flyweight.settings import Limits

FEATURES = [Feature("age", "number", False), Feature("id", "unread", True), Feature("member", "boolean", True)]


def validator(features: list[Feature] = FEATURES, unknown: str = "error", **limits: Any) -> Validator:
    return Validator(Signature("regression", features, 1, None, unknown), Limits(**limits))


def faults(instances: Any, by: Validator) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        by.rows(instances)
    return [str(fault) for fault in caught.value.faults]


def same(rows: list[list[Any]], expected: list[list[Any]]) -> None:
    assert np.array_equal(np.array(rows, dtype=float), np.array(expected, dtype=float), equal_nan=True)


@pytest.mark.parametrize("value", [None, "x", [1], {"a": 1}, math.inf, object()], ids=type)
def test_what_is_never_read_may_be_anything(value: Any) -> None:
    same(validator().rows([[1, value, True], {"age": 1, "id": value, "member": True}]), [[1, math.nan, 1]] * 2)


def test_what_is_never_read_may_be_absent() -> None:
    by = validator()
    same(by.rows([{"age": 1, "member": True}]), [[1, math.nan, 1]])
    same(by.rows(parse(b"member,age\ntrue,1\n", "text/csv", by)[0]), [[1, math.nan, 1]])
    same(by.rows(parse(b"id,member,age\nx,true,1\n", "text/csv", by)[0]), [[1, math.nan, 1]])
    assert faults([{"age": 1, "id": 2}], by) == [
        "instance 0, feature 'member': expected a boolean or null, got no such feature in the instance "
        "(send null if its value is not known)"
    ]
    assert "3 values" in faults([[1, True]], by)[0]  # a list keeps the estimator's width


def test_arrays_of_instances_leave_out_what_is_never_read() -> None:
    for instances in (
        [{"age": 1.5, "member": True}, {"member": None, "age": 2, "id": "x"}],
        [[1.5, "y", True], [2, None, None]],
        pd.DataFrame({"member": [1.0, math.nan], "age": [1.5, 2], "id": ["x", "y"]}),
        pd.DataFrame({"member": [1.0, math.nan], "age": [1.5, 2]}),
    ):
        table = arrays.array_of(instances, FEATURES, Limits())
        assert table is not None
        same(table, [[1.5, math.nan, 1], [2, math.nan, math.nan]])
    for refused in (
        [{"age": 1.0}],
        [{"age": 1.0, "member": True, "x": 1}],
        pd.DataFrame({"member": [True], "age": [1], "x": [1]}),
    ):
        assert arrays.array_of(refused, FEATURES, Limits()) is None


def test_unknown_features_are_ignored_where_the_signature_or_the_setting_says_so() -> None:
    extra = {"age": 1, "member": True, "note": "x", "more": 2}
    for by in (validator(unknown="ignore"), validator(unknown_features="ignore")):
        assert by.ignores
        same(by.rows([extra]), [[1, math.nan, 1]])
        same(by.rows(parse(b"note,member,age\nx,true,1\n", "text/csv", by)[0]), [[1, math.nan, 1]])
        table = arrays.array_of([extra], by.features, by.limits, by.ignores)
        assert table is not None
        same(table, [[1, math.nan, 1]])
    strict = validator(unknown="ignore", unknown_features="error")
    assert "unknown feature" in faults([extra], strict)[0]


def test_a_missing_feature_is_named_with_the_unknown_one_that_was_ignored() -> None:
    assert faults([{"agee": 1, "member": True}], validator(unknown="ignore")) == [
        "instance 0, feature 'age': expected a number, got no such feature in the instance "
        "(there is 'agee', which this model does not know)"
    ]


def header_faults(header: str, by: Validator) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse(f"\n{header}\n".encode(), "text/csv", by)
    return [str(fault) for fault in caught.value.faults]


def test_a_header_is_judged_as_an_object_and_names_its_line() -> None:
    by = validator()
    assert header_faults("age,membr", by) == [
        "line 2, feature 'membr': expected a feature of this model, got an unknown feature (did you mean 'member'?)"
    ]
    assert header_faults("age", by) == [
        "line 2, feature 'member': expected a boolean or null, got no such column "
        "(add the column, with no values if they are not known)"
    ]
    assert "write it without the index" in header_faults(",age,member", by)[0]
    with pytest.raises(MalformedRequest, match="twice: 'age'"):
        parse(b"age,age,member\n", "text/csv", by)


def test_blanks_around_a_column_name_do_not_count_unless_a_feature_has_them() -> None:
    by = validator([Feature(" a", "number", False), Feature("b", "number", False)])
    assert by.rows(parse(b" a, b \n1,2\n", "text/csv", by)[0]) == [[1.0, 2.0]]


def test_a_wrong_value_in_csv_is_named_by_its_line_and_by_its_instance() -> None:
    by = validator([Feature("age", "number", False), Feature("word", "string", True)])
    instances, _ = parse(b'age,word\n1,"two\nlines"\n\nold,x\n', "text/csv", by)
    with pytest.raises(InvalidInput) as caught:
        by.rows(instances)
    assert str(caught.value) == "line 5, feature 'age': expected a number, got 'old'"
    assert problem(caught.value, "")["errors"] == [
        {"line": 5, "instance": 1, "feature": "age", "expected": "a number", "actual": "'old'"}
    ]
    with pytest.raises(MalformedRequest, match="line 3 has 1 values, the CSV header has 2"):
        parse(b"age,word\n1,a\n2\n", "text/csv", by)
    with pytest.raises(InvalidInput, match="line 3, feature 'age'"):
        by.rows(parse(b'[1, "a"]\n\n["x", "b"]', "application/x-ndjson", by)[0])


def test_scalars_of_numpy_and_pandas_are_read_as_pythons_own() -> None:
    by = validator([Feature("n", "number", True), Feature("b", "boolean", True), Feature("s", "string", True)])
    given: list[list[Any]] = [
        [np.float32(1.5), np.bool_(True), np.str_("x")], [np.int64(3), np.int8(0), None], [np.uint8(3), np.float64(1), "y"],
        [pd.NA, pd.NA, pd.NA], [np.float32("nan"), pd.NaT, math.nan],
    ]  # fmt: skip
    assert [[None if value != value else value for value in row] for row in by.rows(given)] == [
        [1.5, 1.0, "x"], [3.0, 0.0, None], [3.0, 1.0, "y"], [None, None, None], [None, None, None],
    ]  # fmt: skip
    wrong = [[np.array([1.0]), 1, "x"], [np.bool_(True), 1, "x"], [1, np.array([1, 0]), "x"], [1, 1, np.float64(2)]]
    assert [fault.partition(":")[0] for fault in faults([*wrong, [np.datetime64(5, "ns"), 1, "x"]], by)] == [
        "instance 0, feature 'n'", "instance 1, feature 'n'", "instance 2, feature 'b'", "instance 3, feature 's'",
        "instance 4, feature 'n'",
    ]  # fmt: skip


def test_a_quoted_number_says_how_texts_are_sent() -> None:
    by = validator([Feature("age", "number", False)])
    assert '"parse_text": true' in faults([["39.1"]], by)[0]
    assert "parse_text" not in faults([["old"]], by)[0]
    assert by.rows(parse(b'{"instances": [["39.1"]], "parse_text": true}', "", by)[0]) == [[39.1]]
    assert by.rows(parse(b'{"age": "39.1"}', "application/json; parse_text=true", by, RECORD_PARSERS)[0]) == [[39.1]]
    with pytest.raises(InvalidInput, match="true or false for 'parse_text'"):
        parse(b'{"instances": [["39.1"]], "parse_text": "yes"}', "", by)
    always = validator([Feature("age", "number", False)], parse_text=True)
    assert always.rows(parse(b'[["39.1"]]', "", always)[0]) == [[39.1]]
    asked_not = parse(b'{"instances": [["39.1"]], "parse_text": false}', "", always)[0]
    assert "got '39.1'" in faults(asked_not, always)[0]


def test_the_schema_says_what_is_never_read_and_how_datetimes_look() -> None:
    when = [Feature("at", "datetime", True, None, [0.0, 1.0], zone="UTC"), Feature("day", "datetime", False)]
    signature = Signature("regression", [*FEATURES, *when], 1)
    schema = instance_schema(signature)["oneOf"][0]
    assert schema["required"] == ["age", "member", "at", "day"] and schema["additionalProperties"] is False
    assert instance_schema(signature, True)["oneOf"][0]["additionalProperties"] is True
    assert "type" not in schema["properties"]["id"]
    at, day = schema["properties"]["at"], schema["properties"]["day"]
    assert (at["type"], at["format"], at["examples"][0]) == (["string", "null"], "date-time", "1970-01-01T00:00:00Z")
    assert day["type"] == "string" and "without an offset" in day["description"]
    json.dumps(schema)
