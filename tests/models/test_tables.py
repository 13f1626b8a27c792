"""Tables of NumPy, SciPy, pandas, Arrow and polars become the same rows as lists of Python values, or are refused in words."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyweight.errors import InvalidInput, TooLarge
from flyweight.models import arrays
from flyweight.models.signature import Feature, Signature
from flyweight.models.tables import blocks_of, cleaned
from flyweight.models.validation import Validator
from flyweight.settings import Limits

Rows = list[list[Any]]
LIMITS = Limits(max_instances=1000, max_string_length=1000)
MIXED = [
    Feature("age", "number", True),
    Feature("member", "boolean", True),
    Feature("city", "string", True),
    Feature("count", "number", True),
]
NUMBERS = [Feature(name, "number", True) for name in "abc"]
TEXT = [Feature("text", "string", True)]
ONE = [Feature("a", "number", False)]


def rows(table: Any, features: list[Feature] = MIXED, unknown: str = "error", prefers_array: bool = False) -> Rows:
    """Read a table as a predictor does; missing values are None in every column, so that rows can be compared."""
    validator = Validator(Signature("regression", features, 1, unknown=unknown), LIMITS, lambda count: prefers_array)
    found: Rows = []
    for block in blocks_of(table, features, validator.ignores, LIMITS.max_instances):
        whole = None if isinstance(block, list) else validator.table(block)
        checked: Any = validator.rows(cleaned(block if isinstance(block, list) else block.tolist())) if whole is None else whole
        found += checked if isinstance(checked, list) else checked.tolist()
    return [[None if value is None or value != value else value for value in row] for row in found]


def refusal(table: Any, features: list[Feature] = MIXED, unknown: str = "error") -> str:
    """Read a table that is refused, and return the error's words."""
    with pytest.raises(InvalidInput) as caught:
        rows(table, features, unknown)
    return str(caught.value)


numbers = (
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=32, allow_nan=False, allow_infinity=False)
)
words = (
    st.none()
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
    | st.sampled_from(["NA", "", "nan", "None"])
)
integers = st.none() | st.integers(-(2**53), 2**53)
instances = st.tuples(numbers, st.none() | st.booleans(), words, integers).map(list)


def forms(table: Rows) -> dict[str, Any]:
    """Give one table in every form; the columns of some are in another order, and frames have an index."""
    names = [feature.name for feature in MIXED]
    columns = dict(zip(names, map(list, zip(*table, strict=True)), strict=True))
    turned = {name: columns[name] for name in reversed(names)}
    types = {"age": pa.float64(), "member": pa.bool_(), "city": pa.string(), "count": pa.int64()}
    arrow = pa.table({name: pa.array(values, types[name]) for name, values in turned.items()})
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in turned.items()})
    return {
        "dicts": [dict(zip(names, row, strict=True)) for row in table],
        "tuples": [tuple(row) for row in table],
        "dict of columns": turned,
        "objects": frame.set_axis(range(7, 7 + len(table))),
        "pandas": pd.DataFrame(columns),
        "nullable": pd.DataFrame(turned).astype({"age": "Float64", "member": "boolean", "city": "string", "count": "Float64"}),
        "categories": frame.astype({"city": "category"}),
        "arrow in pandas": arrow.to_pandas(types_mapper=pd.ArrowDtype),
        "array": frame[names].to_numpy(),
        "arrow": arrow,
        "record batch": arrow.combine_chunks().to_batches()[0],
        "dictionary": arrow.set_column(arrow.schema.get_field_index("city"), "city", arrow["city"].dictionary_encode()),
        "polars": pl.DataFrame(turned, schema={"count": pl.Int64, "city": pl.String, "member": pl.Boolean, "age": pl.Float64}),
        "series in a list": [frame.iloc[place] for place in range(len(table))],
        "arrays in a list": [*frame[names].to_numpy()],
    }


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(instances, min_size=1, max_size=5))
def test_a_table_has_the_same_rows_in_every_form(table: Rows) -> None:
    plain = rows(table)
    for name, form in forms(table).items():
        for prefers_array in (False, True):
            assert rows(form, prefers_array=prefers_array) == plain, name


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(0.0), min_size=3, max_size=3), min_size=1, max_size=6))
def test_numbers_have_the_same_rows_as_arrays_and_sparse_matrices(table: Rows) -> None:
    plain = rows(table, NUMBERS)
    array = np.array(table)
    masked = np.ma.masked_array(array, mask=False)
    sparse = [kind(array) for kind in (scipy.sparse.csr_matrix, scipy.sparse.csc_array, scipy.sparse.coo_array)]
    extended = array.astype(np.longdouble)
    for form in (array, np.asfortranarray(array), masked, extended, array.astype(object), *sparse):
        for prefers_array in (False, True):
            assert rows(form, NUMBERS, prefers_array=prefers_array) == plain, type(form)
    structured = np.array([*map(tuple, table)], dtype=[("c", float), ("b", float), ("a", float)])
    assert rows(structured, NUMBERS) == [row[::-1] for row in plain]


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "int8", "uint8", "int64", "uint64", "Int64", "UInt8", "Float32", "double[pyarrow]"]
)
def test_every_type_of_number_is_a_number(dtype: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": [5, 6]}, dtype=dtype)
    for prefers_array in (False, True):
        assert rows(frame, NUMBERS, prefers_array=prefers_array) == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]
        assert rows(frame.to_numpy(), NUMBERS, prefers_array=prefers_array) == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]


def test_the_marks_of_a_missing_value_are_all_null() -> None:
    marks = [None, np.nan, pd.NA, pd.NaT, np.float32("nan"), np.datetime64("NaT", "s"), np.ma.masked, Decimal("NaN")]
    for mark in marks:
        assert rows([{"age": mark, "member": mark, "city": mark, "count": mark}]) == [[None] * 4], repr(mark)
    masked = np.ma.masked_array([[1.0, 2.0, 3.0]], mask=[[False, True, False]])
    for prefers_array in (False, True):
        assert rows(masked, NUMBERS, prefers_array=prefers_array) == [[1.0, None, 3.0]]
    assert rows(pa.table({name: pa.nulls(1) for name in "abc"}), NUMBERS) == [[None] * 3]


def test_scalars_of_libraries_are_values() -> None:
    row = {"age": np.float32(0.5), "member": np.bool_(True), "city": np.str_("Oslo"), "count": np.int64(3)}
    assert rows([row]) == rows(row) == rows(pd.Series(row)) == [[0.5, 1.0, "Oslo", 3.0]]
    assert rows([[Decimal("0.1"), np.uint8(1), np.array("Oslo"), np.longdouble(3)]]) == [[0.1, 1.0, "Oslo", 3.0]]
    Person = namedtuple("Person", ["age", "member", "city", "count"])
    assert rows([Person(0.5, True, "Oslo", 3)]) == [[0.5, 1.0, "Oslo", 3.0]]


def test_labels_that_are_numbers_are_names_if_the_model_has_them() -> None:
    numbered = [Feature(str(place), "number", True) for place in range(3)]
    frame = pd.DataFrame([[1.0, 2.0, 3.0]])
    assert rows(frame, numbered) == rows(frame.iloc[0], numbered) == [[1.0, 2.0, 3.0]]
    assert rows(frame[[2, 0, 1]], numbered) == [[1.0, 2.0, 3.0]]
    assert rows(frame.to_dict("records"), numbered) == [[1.0, 2.0, 3.0]]
    assert rows(frame, NUMBERS) == [[1.0, 2.0, 3.0]], "pandas' default labels are no names"
    assert "unknown feature" in refusal(frame[[2, 0, 1]], NUMBERS)
    assert "unknown feature" in refusal(pd.Series([1.0, 2.0, 3.0]), NUMBERS), "a Series may as well be a column"


TEXTS: list[Any] = [
    ["a", None],
    ("a", None),
    pd.Series(["a", None], name="other"),
    np.array(["a", None]),
    pl.Series(["a", None]),
    pa.array(["a", None]),
    pa.chunked_array([["a"], [None]]),
    pd.Index(["a", None]),
    pd.Categorical(["a", None]),
    [["a"], [None]],
    [{"text": "a"}, {"text": None}],
    [np.str_("a"), pd.NA],
    pd.DataFrame({"text": ["a", None]}),
    pl.DataFrame({"text": ["a", None]}),
]


@pytest.mark.parametrize("column", TEXTS, ids=lambda column: type(column).__name__)
def test_a_model_of_one_text_takes_texts_alone(column: Any) -> None:
    assert rows(column, TEXT) == [["a"], [None]]


def test_rows_may_come_one_by_one() -> None:
    assert rows(iter(["a", None]), TEXT) == rows(({"text": text} for text in ("a", None)), TEXT) == [["a"], [None]]


def test_a_model_of_one_number_takes_numbers_alone() -> None:
    for column in ([1, 2], np.array([1, 2]), pd.Series([1, 2]), pl.Series([1, 2]), range(1, 3), [np.int8(1), 2.0]):
        assert rows(column, ONE) == [[1.0], [2.0]]
    assert "instance 1, feature 'a': expected a number" in refusal([1.0, "x"], ONE)


def test_columns_are_found_by_name_and_others_follow_the_policy() -> None:
    frame = pd.DataFrame({"c": [3.0], "x": ["?"], "b": [2.0], "a": [1.0]})
    for table in (frame, pl.DataFrame({**frame}), pa.table(frame), frame.to_dict("list")):
        assert rows(table, NUMBERS, "ignore") == [[1.0, 2.0, 3.0]]
        assert "'x': expected a feature of this model, got an unknown feature" in refusal(table, NUMBERS)
    assert "did you mean 'city'" in refusal(pd.DataFrame({"age": [1], "member": [True], "citty": ["Oslo"], "count": [1]}))
    assert "feature 'b': expected a number or null, got no such column" in refusal(frame.drop(columns="b"), NUMBERS, "ignore")


def test_a_column_that_is_never_read_may_be_absent_or_anything() -> None:
    features = [NUMBERS[0], Feature("note", "unread", True), NUMBERS[1]]
    for frame in (pd.DataFrame({"b": [2.0], "a": [1.0]}), pd.DataFrame({"note": [object()], "b": [2.0], "a": [1.0]})):
        (block,) = blocks_of(frame, features, False, 10)
        (row,) = block.tolist()
        assert row[0] == 1.0 and row[2] == 2.0


def test_a_wrong_value_is_named_by_its_row_and_feature() -> None:
    frame = pd.DataFrame({"age": [1.0, 2.0], "member": [True, False], "city": ["Oslo", 5], "count": [1, 2]})
    for table in (frame, frame.to_dict("list"), frame.astype(object).to_numpy()):
        assert refusal(table) == "instance 1, feature 'city': expected a string or null, got 5"
    assert "instance 0, feature 'a': expected a finite number" in refusal(np.array([[np.inf, 1, 2]]), NUMBERS)
    assert "instance 0, feature 'a': expected a number or null, got true" in refusal(np.array([[True, False, True]]), NUMBERS)
    assert "an array of 2" in refusal([{"a": np.array([1, 2]), "b": 1, "c": 2}], NUMBERS)


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "datetime64[us]", "datetime64[s]", "timedelta64[ns]", "timedelta64[us]"])
def test_a_date_or_a_duration_is_never_a_number(dtype: str) -> None:
    moments = np.array([[1, 2, 3]]).astype(dtype)
    for table in (moments, [*moments], moments.tolist()[:0] + [[*moments[0]]], pd.DataFrame(moments, columns=[*"abc"])):
        assert "expected a number or null" in refusal(table, NUMBERS)
    assert "expected a number" in refusal(moments[0], ONE)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("a text", "put the text in a list"),
        (5, "expected a table"),
        (None, "expected a table"),
        ({1.0, 2.0}, "expected a table"),
        ([1.0, 2.0, 3.0], "one row is a list of its own"),
        (np.array([1.0, 2.0, 3.0]), "one row is a list of its own"),
        (np.array(5.0), "a table of two dimensions"),
        (np.zeros((1, 3, 1)), "an array of shape (1, 3, 1)"),
        (np.zeros((1, 2)), "expected 3 values (a, b, c), got 2 values"),
        (np.array([["x", "y"]]), "expected 3 values (a, b, c), got 2 values"),
        (pl.LazyFrame({"a": [1.0]}), "collect()"),
        (pd.DataFrame([[1.0, 2.0, 3.0]], columns=["a", "b", "b"]), "2 columns of this name"),
        ({"a": [1.0], "b": [1.0, 2.0], "c": [1.0]}, "expected 1 values, as in the first column, got 2 values"),
        ({"a": [1.0], "b": 2.0, "c": [1.0]}, "columns only, or the values of one row only"),
        ({"a": {0: 1.0}, "b": {0: 1.0}, "c": {0: 1.0}}, "to_dict('list')"),
        (pd.DataFrame({"a": [], "b": [], "c": []}), "at least one instance"),
        (pd.DataFrame(), "no such column"),
        ([], "at least one instance"),
        ({}, "no such"),
    ],
)
def test_what_is_no_table_is_refused_with_advice(table: Any, words: str) -> None:
    assert words in refusal(table, NUMBERS)


def test_a_sparse_matrix_is_spread_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flyweight.models.tables.BLOCK_CELLS", 7)
    matrix = scipy.sparse.random(11, 3, 0.5, format="csr", random_state=0)
    assert len([*blocks_of(matrix, NUMBERS, False, 1000)]) == 5
    assert rows(matrix, NUMBERS) == matrix.toarray().tolist()
    with pytest.raises(TooLarge, match="11 instances, the limit is 10"):
        [*blocks_of(matrix, NUMBERS, False, 10)]


def test_reading_imports_no_library() -> None:
    program = (
        "import sys; from flyweight.models.tables import blocks_of, cleaned; from flyweight.models.signature import Feature; "
        "print(*blocks_of({'a': [1]}, [Feature('a', 'number', True)], False, 9)); print(*{'numpy', 'pandas'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == ""


NAIVE = [Feature("when", "datetime", True), Feature("a", "number", True)]
AWARE = [Feature("when", "datetime", True, zone="UTC"), Feature("a", "number", True)]


@pytest.mark.parametrize("prefers_array", [False, True])
def test_dates_have_the_same_rows_in_every_form(prefers_array: bool) -> None:
    moments = [datetime(2024, 2, 29, 12, 30, 0, 250), None]
    frame = pd.DataFrame({"when": pd.Series(moments, dtype="datetime64[us]"), "a": [1.0, 2.0]})
    arrow = pa.table({"a": [1.0, 2.0], "when": pa.array(moments, pa.timestamp("ns"))})
    forms = [
        {"when": moments, "a": [1.0, 2.0]},
        frame,
        frame.astype({"when": "datetime64[ns]"}),
        frame.astype(object),
        arrow,
        arrow.to_pandas(types_mapper=pd.ArrowDtype),
        pl.DataFrame(arrow),
        {"when": frame["when"].to_numpy(), "a": frame["a"]},
        [[np.datetime64("2024-02-29T12:30:00.000250", "ns"), 1.0], [np.datetime64("NaT", "s"), 2.0]],
        [frame.iloc[0], frame.iloc[1]],
    ]
    number = float((moments[0] - datetime(1970, 1, 1)) // timedelta(microseconds=1)) if moments[0] else 0.0
    for form in forms:
        assert rows(form, NAIVE, prefers_array=prefers_array) == [[number, 1.0], [None, 2.0]], type(form)
        assert "feature 'when'" in refusal(form, AWARE), "a datetime without an offset has no place in time"
    there = pd.Series(moments, dtype="datetime64[us]").dt.tz_localize("UTC").dt.tz_convert("Europe/Oslo")
    zoned = pd.DataFrame({"when": there, "a": [1.0, 2.0]})
    for form in (zoned, zoned.to_dict("list"), pl.from_pandas(zoned), pa.table(zoned), zoned.astype(object)):
        assert rows(form, AWARE, prefers_array=prefers_array) == [[number, 1.0], [None, 2.0]], type(form)
        assert "feature 'when'" in refusal(form, NAIVE)


def test_a_nanosecond_that_would_be_lost_is_refused() -> None:
    fine = np.array(["2024-01-01T00:00:00.000000001"], dtype="datetime64[ns]")
    for column in (fine, pd.Series(fine), pl.Series(fine), pa.array(fine), [*fine]):
        assert "feature 'when'" in refusal({"when": column, "a": [1.0]}, NAIVE)


ODD = [
    object(),
    pd.DataFrame({"a": [1]}),
    pl.Series([1, 2]),
    pl.Series([1]),
    pa.scalar(1),
    np.array([1, 2]),
    np.void(b"x"),
    {1},
    {"a": 1},
    [1],
    1j,
    b"x",
    pd.Period("2024"),
    pd.Interval(0, 1),
    pd.Timedelta(1),
    Decimal("1e999"),
    10**400,
    float("inf"),
    len,
    ValueError(),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_an_odd_value_is_refused_by_its_place_and_not_by_a_crash(odd: Any) -> None:
    for table in ([[1.0, odd, 2.0]], [{"a": 1.0, "b": odd, "c": 2.0}], {"a": [1.0], "b": [odd], "c": [2.0]}):
        assert "instance 0, feature 'b'" in refusal(table, NUMBERS), type(table)
    for whole in (odd, [odd], (odd,)):
        with pytest.raises(InvalidInput):
            rows(whole, NUMBERS)


TEXTS = ["b", None, "", "ä", "b", "c" * 40] * 20


@pytest.mark.parametrize(
    "column",
    [
        pa.array(TEXTS),
        pa.array(TEXTS, pa.large_string()),
        pa.chunked_array([TEXTS[:7], [], TEXTS[7:]]),
        pa.array(TEXTS).dictionary_encode(),
        pa.chunked_array([pa.array(TEXTS[:7]).dictionary_encode(), pa.array(TEXTS[7:]).dictionary_encode()]),
        pa.DictionaryArray.from_arrays([0, 1, 2, 3, 0, 4] * 20, ["b", None, "", "ä", "c" * 40, "never"]),
        pa.array([None, *TEXTS])[1:],
        pd.Series(TEXTS, dtype="str"),
        pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string())),
        pa.array(TEXTS, pa.string_view()),
    ],
    ids=lambda column: str(getattr(column, "type", getattr(column, "dtype", ""))),
)
def test_texts_are_the_same_in_every_form_of_a_dictionary(column: Any) -> None:
    feature = Feature("x", "string", True)
    (table,) = blocks_of({"x": column}, [feature], False, 1000)
    read = [None if value != value else value for (value,) in table]  # NaN is pandas' null
    assert read == TEXTS
    whole = arrays.array_of(table, [feature], Limits())
    assert whole is not None and whole[:, 0].tolist() == TEXTS
    assert arrays.array_of(table, [feature._replace(nullable=False)], Limits()) is None
    assert arrays.array_of(table, [feature], Limits(max_string_length=39)) is None
