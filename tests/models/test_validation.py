"""Bodies become validated rows, or an error that names the instance, the feature, and the expected and the actual value."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.errors import FlyweightError, InvalidInput, MalformedRequest, TooLarge, UnsupportedMediaType
from flyweight.formats import parse
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

FEATURES = [
    Feature("age", "number", False),
    Feature("income", "number", True),
    Feature("member", "boolean", True),
    Feature("city", "string", True, ["Oslo", "Bergen"]),
]
VALIDATOR = Validator(Signature("regression", FEATURES, 1), Limits(max_body_bytes=2000, max_instances=3, max_string_length=20))
NUMBERS = Validator(Signature("regression", [Feature(name, "number", False) for name in "ab"], 1), Limits())
ONE = Validator(Signature("regression", [Feature("a", "number", False)], 1), Limits())


def read(body: Any, content_type: str = "application/json", validator: Validator = VALIDATOR) -> list[list[Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    instances, _ = parse(data, content_type, validator)
    return validator.rows(instances)


def faults(body: Any, validator: Validator = VALIDATOR) -> list[tuple[Any, ...]]:
    with pytest.raises(InvalidInput) as caught:
        read(body, validator=validator)
    return [(fault.instance, fault.feature, fault.expected, fault.actual) for fault in caught.value.faults]


def test_instances_come_in_order_or_by_name_wrapped_or_bare() -> None:
    row = [30.0, 1.5, 1.0, "Oslo"]
    by_name = {"city": "Oslo", "age": 30, "member": True, "income": 1.5}
    for body in ({"instances": [[30, 1.5, True, "Oslo"]]}, [[30, 1.5, 1, "Oslo"]], {"instances": [by_name]}, [by_name]):
        assert read(body) == [row]


def test_all_numbers_take_the_short_way_to_the_same_rows() -> None:
    assert read([[1.5, 2.5], {"b": 1.0, "a": 2.0}, [1, 2]], validator=NUMBERS) == [[1.5, 2.5], [2.0, 1.0], [1.0, 2.0]]
    assert read([{"a": 3.0}, [4.0]], validator=ONE) == [[3.0], [4.0]]


def test_null_is_missing_if_the_feature_is_nullable() -> None:
    age, income, member, city = read([[1, None, None, None]])[0]
    assert (age, city) == (1.0, None)
    assert math.isnan(income) and math.isnan(member)


def test_null_is_refused_if_the_feature_is_not_nullable() -> None:
    assert faults([[None, 1, True, "x"]]) == [(0, "age", "a number", "null")]


@pytest.mark.parametrize("value", ["12", True, [1], {"a": 1}])
def test_a_wrong_kind_is_named(value: Any) -> None:
    ((instance, feature, expected, _actual),) = faults([[1, 1, True, "x"], [value, 1, True, "x"]])
    assert (instance, feature, expected) == (1, "age", "a number")


def test_all_faults_are_listed_up_to_twenty() -> None:
    assert len(faults([["x", "y", "z", 1]])) == 4
    wide = Validator(Signature("regression", [Feature(f"f{n}", "number", False) for n in range(50)], 1), Limits())
    assert len(faults([["x"] * 50], wide)) == 20


def test_a_misspelt_feature_is_named_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidInput) as caught:
        read([{"age": 1, "incme": 1, "member": True, "city": "x"}])
    (fault,) = caught.value.faults
    assert (fault.feature, fault.hint) == ("incme", "did you mean 'income'?")


def test_a_missing_feature_is_not_a_null_one() -> None:
    with pytest.raises(InvalidInput) as caught:
        read([{"age": 1, "member": True, "city": "x"}])
    (fault,) = caught.value.faults
    assert fault.feature == "income" and "send null" in str(fault.hint)


def test_an_unknown_feature_lists_those_that_are_known() -> None:
    with pytest.raises(InvalidInput) as caught:
        read([{"age": 1, "income": 1, "member": True, "city": "x", "zzzz": 1}])
    (fault,) = caught.value.faults
    assert fault.feature == "zzzz" and "age, income" in str(fault.hint)


def test_rows_of_another_width_are_refused() -> None:
    assert faults([[1, 2]]) == [(0, None, "4 values (age, income, member, city)", "2 values")]


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1" * 400])
def test_a_number_beyond_a_double_is_refused(text: str) -> None:
    assert faults(f'[[{text}, 1, true, "x"]]'.encode()) == [(0, "age", "a finite number", "a number too large for a double")]
    assert faults(f"[[{text}, 1]]".encode(), NUMBERS)[0][:2] == (0, "a")


def test_huge_numbers_whose_sum_is_beyond_a_double_are_valid() -> None:
    assert read(b"[[1.7e308, 1.7e308]]", validator=NUMBERS) == [[1.7e308, 1.7e308]]


def test_a_long_string_is_refused_by_its_length() -> None:
    assert faults([[1, 1, True, "x" * 21]]) == [(0, "city", "at most 20 characters", "21 characters")]


def test_limits_on_bytes_and_instances() -> None:
    with pytest.raises(TooLarge, match="2001 bytes, the limit is 2000"):
        read(b" " * 2001)
    with pytest.raises(TooLarge, match="4 instances, the limit is 3"):
        read([[1, 1, True, "x"]] * 4)


MALFORMED = {
    "empty": (b"", "body is empty"),
    "white space": (b" \n", "body is empty"),
    "not JSON": (b"{a}", "line 1 column 2"),
    "not UTF-8": (b'["\xff"]', "byte 2 is 0xff"),
    "NaN": (b"[[NaN, 1]]", "NaN, which is not JSON; send null"),
    "Infinity": (b"[[-Infinity, 1]]", "-Infinity, which is not JSON"),
    "a key twice": (b'[{"age": 1, "age": 2}]', "'age' twice"),
    "nested too deeply": (b"[" * 1900 + b"]" * 100, "nested too deeply|not JSON"),
}


@pytest.mark.parametrize(("body", "words"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_body_says_where(body: bytes, words: str) -> None:
    with pytest.raises(MalformedRequest, match=words):
        read(body)


def test_deep_nesting_and_endless_digits_are_malformed_and_no_crash() -> None:
    big = Validator(Signature("regression", FEATURES, 1), Limits())
    with pytest.raises(MalformedRequest, match="nested too deeply"):
        read(b"[" * 200_000 + b"]" * 200_000, validator=big)
    with pytest.raises(MalformedRequest, match="too many digits"):
        read(b"[[" + b"9" * 5000 + b"]]", validator=big)


@pytest.mark.parametrize(
    "body", [3, "x", None, {}, {"instance": []}, {"instances": 3}, {"instances": []}, [], {"instances": [], "x": 1}]
)
def test_anything_but_instances_is_refused(body: Any) -> None:
    assert len(faults(body)) == 1


def test_a_bare_instance_gets_the_hint_to_wrap_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        read({"age": 1, "income": 2, "member": True, "city": "x"})
    assert "wrap the instance" in str(caught.value.faults[0].hint)


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b'\xef\xbb\xbf[[1, 1, true, "x"]]') == [[1.0, 1.0, 1.0, "x"]]


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_by_any_spelling(content_type: str) -> None:
    assert read([[1, 1, True, "x"]], content_type)


@pytest.mark.parametrize("content_type", ["text/html", "multipart/form-data; boundary=x", "application/json; charset=latin-1"])
def test_other_content_types_and_charsets_are_not_supported(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read([[1, 1, True, "x"]], content_type)


def test_ndjson_is_one_instance_a_line() -> None:
    body = b'[1, 2, true, "x"]\n\n{"age": 2, "income": null, "member": null, "city": null}\r\n'
    first, second = read(body, "application/x-ndjson")
    assert first == [1.0, 2.0, 1.0, "x"] and second[0] == 2.0 and second[3] is None
    with pytest.raises(MalformedRequest, match="line 2"):
        read(b"[1]\n{", "application/x-ndjson")


def test_csv_with_a_header_is_read_by_name_and_kind() -> None:
    assert read(b'city,age,member,income\n"Os,lo",1,true,2.5\n', "text/csv") == [[1.0, 2.5, 1.0, "Os,lo"]]
    row = read(b"city,age,member,income\r\nNA,1,,NaN\r\n", "text/csv")[0]
    assert row[3] is None and math.isnan(row[1]) and math.isnan(row[2])


def test_csv_without_a_header_is_read_in_order() -> None:
    assert read(b"1,2,0,x\n", "text/csv; header=absent") == [[1.0, 2.0, 0.0, "x"]]


@pytest.mark.parametrize("cell", ["1_000", "abc", "inf", "0x10", "\u0664\u0666", "\uff11"])
def test_a_csv_text_that_is_not_a_number_is_named(cell: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(f"city,age,member,income\nx,{cell},0,1\n".encode(), "text/csv")
    assert (caught.value.faults[0].instance, caught.value.faults[0].feature) == (0, "age")


@pytest.mark.parametrize("body", [b"age,age\n1,2\n", b"age,income,member,city\n1,2\n", b'age,income,member,city\n1,2,0,"x\n'])
def test_malformed_csv_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read(body, "text/csv")


def test_csv_of_a_header_alone_holds_no_instance() -> None:
    with pytest.raises(InvalidInput, match="at least one instance"):
        read(b"age,income,member,city\n", "text/csv")


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5)
)


@given(values, st.sampled_from(["application/json", "text/csv", "application/x-ndjson", "text/csv;header=absent"]))
def test_any_json_is_rows_or_a_clear_error(value: Any, content_type: str) -> None:
    try:
        rows = read(json.dumps(value).encode(), content_type)
    except FlyweightError:
        return
    assert all(len(row) == 4 for row in rows)


@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/csv", "application/x-ndjson"]))
def test_any_bytes_are_rows_or_a_clear_error(body: bytes, content_type: str) -> None:
    try:
        read(body, content_type)
    except FlyweightError:
        pass


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)), min_size=1, max_size=5))
def test_numbers_arrive_bit_for_bit(rows: list[tuple[float, float]]) -> None:
    assert read([list(row) for row in rows], validator=NUMBERS) == [list(row) for row in rows]
    text = "a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in rows)
    assert read(text.encode(), "text/csv", NUMBERS) == [list(row) for row in rows]
