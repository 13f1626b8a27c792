"""One table has one reading: rows are the same from JSON, NDJSON, CSV over HTTP, and files read in every way."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from flyweight.files import csv as file_csv
from flyweight.files.csv import csv_batches
from flyweight.files.jsonl import jsonl_batches
from flyweight.files.lines import Lines
from flyweight.formats import parse
from flyweight.formats.csv import MISSING
from flyweight.formats.parquet import parquet_batches
from flyweight.models.datetimes import iso
from flyweight.models.signature import UNRECORDED, Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flyweight.formats.batches import Batch

assert pyarrow.csv  # imported for all, as for a large file
NAMES = ["a", " b ", "c,d", "c", "c.d", 'e"f', "é", "0", "A", "line\nend"]
WORDS = [
    "NA",
    "nan",
    "None",
    "null",
    "",
    " ",
    " NA",
    "-nan",
    "NAN",
    "007",
    "1",
    "1.5",
    "1_000",
    "\u0664\u0666",
    "true",
    "True",
    "2024-01-01",
    "inf",
]
TEXTS = st.sampled_from([*WORDS, 'a"b', "a,b", "x\ny", "x\r\ny", "\r", "ü", "\u2028", "-999"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=4
)
LISTS = st.sampled_from(
    [MISSING, UNRECORDED, frozenset(), frozenset([""]), frozenset(["-999", ""]), frozenset(["?", "no, it is"])]
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70) | st.sampled_from([-999, 0, 1, -0.0])
MOMENTS = st.integers(-(2**53), 2**53)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Validator, list[list[Any]]]:
    """Draw features, and rows of values as JSON has them."""
    whole = draw(st.booleans())  # of numbers only, for the parsers of whole lines
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    shared = draw(LISTS)
    features = []
    for name in names:
        kind = "number" if whole else draw(st.sampled_from(["number", "boolean", "string", "datetime", "unread"]))
        missing = draw(LISTS) if kind == "string" else shared
        features.append(Feature(name, kind, bool(missing) or kind == "unread", None, None, missing, draw(zones(kind))))
    rows = draw(st.lists(st.tuples(*map(value_of, features)).map(list), min_size=1, max_size=6))
    return Validator(Signature("regression", features, 1), Limits()), rows


def zones(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["none", "UTC"]) if kind == "datetime" else st.just("none")


def value_of(feature: Feature) -> st.SearchStrategy[Any]:
    """Draw a value of a feature; a string that means missing is none, since the file says so."""
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "number": NUMBERS,
        "boolean": st.booleans(),
        "string": TEXTS.filter(lambda text: text not in feature.missing),
        "datetime": MOMENTS.map(lambda number: iso(number, feature.zone)),
        "unread": TEXTS | NUMBERS,
    }
    present = kinds[feature.kind]
    if feature.kind == "number":  # one that is listed as a missing text can't be written
        present = present.filter(lambda value: str(value) not in feature.missing)
    return st.none() | present if feature.missing else present


def written(validator: Validator, rows: list[list[Any]]) -> bytes:
    """Write CSV as pandas does, each missing value as one of its feature's texts."""
    file = io.StringIO()
    # Python before 3.13 quotes no carriage return by itself, which then ends a line for its own reader
    carriage = any("\r" in str(value) for row in rows for value in row)
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL if carriage else csv.QUOTE_MINIMAL)
    writer.writerow([feature.name for feature in validator.features])
    words = [sorted(feature.missing) or [""] for feature in validator.features]
    for number, row in enumerate(rows):
        cells = zip(row, words, strict=True)
        writer.writerow([listed[number % len(listed)] if value is None else value for value, listed in cells])
    return file.getvalue().encode()


def bits(rows: Any) -> list[list[Any]]:
    return [
        [value if isinstance(value, str) else float("nan" if value is None else value).hex() for value in row] for row in rows
    ]


def of_batches(validator: Validator, batches: Iterator[Batch]) -> list[list[Any]]:
    found: list[list[Any]] = []
    for batch in batches:
        assert not batch.faults
        instances = batch.instances if isinstance(batch.instances, list) else batch.instances.tolist()
        found += bits(validator.rows([batch.exceptions_by_row.get(place) or row for place, row in enumerate(instances)]))
    return found


@contextmanager
def reading_by(reader: str) -> Iterator[None]:
    """Have batches of numbers read by pyarrow, by NumPy, or by the csv module."""
    with pytest.MonkeyPatch.context() as patch:
        if reader == "numpy":
            patch.delitem(sys.modules, "pyarrow.csv", raising=False)
        elif reader == "csv":
            patch.setattr(file_csv, "NumberParser", lambda *arguments: None)
        yield


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(table=tables())
def test_a_table_is_read_the_same_in_every_form(table: tuple[Validator, list[list[Any]]]) -> None:
    validator, rows = table
    names = [feature.name for feature in validator.features]
    instances = [dict(zip(names, row, strict=True)) for row in rows]
    expected = bits(validator.rows(instances))
    lines = "\n".join(map(json.dumps, instances)).encode()
    assert bits(validator.rows(parse(lines, "application/x-ndjson", validator)[0])) == expected
    assert of_batches(validator, jsonl_batches(Lines([lines], {}), validator, 3, 1 << 20)) == expected
    data = written(validator, rows)
    assert bits(validator.rows(parse(data, "text/csv", validator)[0])) == expected
    for reader in ("csv", "numpy", "pyarrow"):
        with reading_by(reader):
            assert of_batches(validator, csv_batches(Lines([data], {}), validator, {}, 3, 1 << 20)) == expected, reader


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(table=tables())
def test_texts_in_json_are_read_as_in_csv_where_the_caller_asks(table: tuple[Validator, list[list[Any]]]) -> None:
    validator, rows = table
    names = [feature.name for feature in validator.features]
    data = written(validator, rows)
    texts = [*csv.reader(io.StringIO(data.decode(), newline=""))][1:]
    instances = [dict(zip(names, row, strict=True)) for row in texts]
    expected = bits(validator.rows(parse(data, "text/csv", validator)[0]))
    asking = json.dumps({"instances": instances, "parse_text": True}).encode()
    assert bits(validator.rows(parse(asking, "", validator)[0])) == expected
    in_order = json.dumps(texts).encode()
    assert bits(validator.rows(parse(in_order, "application/json; parse_text=true", validator)[0])) == expected
    always = Validator(Signature("regression", validator.features, 1), Limits(parse_text=True))
    lines = "\n".join(map(json.dumps, instances)).encode()
    assert bits(always.rows(parse(lines, "application/x-ndjson", always)[0])) == expected
    assert of_batches(always, jsonl_batches(Lines([lines], {}), always, 3, 1 << 20)) == expected


ARROW = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.dictionary(pa.int32(), pa.string())}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(table=tables(), unit=st.sampled_from(["us", "ns"]))
def test_parquet_is_read_as_json(table: tuple[Validator, list[list[Any]]], unit: str) -> None:
    """Strings are a dictionary, datetimes are timestamps, and what nothing reads is left out."""
    validator, rows = table
    columns = {}
    for feature, values in zip(validator.features, zip(*rows, strict=True), strict=True):
        if feature.kind == "datetime":
            zone = "UTC" if feature.zone == "UTC" else None
            moments = [None if value is None else np.datetime64(value.rstrip("Z"), "us").astype(int).item() for value in values]
            columns[feature.name] = pa.array(moments, pa.int64()).cast(pa.timestamp("us", zone)).cast(pa.timestamp(unit, zone))
        elif feature.kind != "unread":
            floats = [float(value) if feature.kind == "number" and value is not None else value for value in values]
            columns[feature.name] = pa.array(floats, ARROW[feature.kind])
    if not columns:
        return
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    data = file.getvalue()
    batches = parquet_batches(lambda start, size: data[start : start + size], len(data), validator, {}, 3)
    names = [feature.name for feature in validator.features]
    assert of_batches(validator, batches) == bits(validator.rows([dict(zip(names, row, strict=True)) for row in rows]))
