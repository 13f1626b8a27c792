"""Lines that are parsed into one array have the values that a reader of single rows finds."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import flyweight
from flyweight import strict_json
from flyweight.errors import TooLarge
from flyweight.files import csv as file_csv
from flyweight.files import scoring as file_scoring
from flyweight.files.csv_numbers import NumberParser
from flyweight.files.lines import MAX_ROW, Lines
from flyweight.files.results import WRITERS
from flyweight.formats.batches import Batch
from flyweight.formats.csv import MISSING
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits
from flyweight.stores import open_store
from flyweight.values import Prediction
from tests.services.fixtures import PATIENT

assert pyarrow.csv  # imported for all, as for a large file
VALIDATOR = Validator(Signature("regression", [Feature(name, "number", True, missing=MISSING) for name in "abc"], 1), Limits())
ODD = [
    "", " ", "nan", "NaN", "NAN", "-nan", "nan(7)", "NA", "null", "None", "inf", "-Infinity", "1_0", "0x1p3", "1e400",
    "1e-400", "-", "+", ".", "e5", "1e", "-nan", "+NaN", "n", "nana", "1-2", "--1", "1.2.3", "1e5e5",
    "+5", "-0", ".5", "5.", "1e5", "1E+05", "1d5", "1 2", " 1", "1\t", "\v1", "1\f", "1\x1c", "\u0661", "\xa01", "1\0", "1\r",
    '"1"', '"1',
    "1.0000000000000002", "179769313486231570000000000000000000000000000000000", "0.1234567890123456789012345678901234567890",
    "<NA>", "#N/A", "#N/A N/A", " #NA", "1.#IND", "-1.#QNAN", "1D5", "1#5", "INF", "NULL", "n/a", "N/A", "-NaN", "-Nan", "+nan",
    "4.9e-324", "2.2250738585072011e-308", "true", "x", "7", "1;2", "1,2",
]  # fmt: skip
VALUE = st.one_of(
    st.sampled_from(ODD), st.floats(allow_nan=False).map(repr), st.floats(-9, 9).map("{:.6g}".format), st.integers().map(str)
)
ROWS = st.lists(st.lists(VALUE, min_size=3, max_size=3).map(",".join) | st.sampled_from(["", "1,2", "\r", "x,y,z"]), max_size=6)


def parser(width: int, indices: list[int] | None = None, missing: frozenset[str] = MISSING) -> NumberParser:
    return NumberParser(width, [*range(width)] if indices is None else indices, missing)


def bits(value: Any) -> Any:
    """Convert a number to its bits; NaN and None both become "missing"."""
    if value is None or value != value:
        return "missing"
    return struct.pack("d", value) if isinstance(value, float) else value


def read(data: bytes, rows: int, validator: Validator = VALIDATOR) -> Any:
    """Read a file: the values, and of each batch lines, texts and the position after it."""
    batches = [*file_csv.csv_batches(Lines([data], {}), validator, {}, rows, 1 << 20)]
    values = [[*map(bits, row)] for batch in batches for row in rows_of(batch)]
    faults = [(line, str(error), text) for batch in batches for line, error, text in sorted(batch.faults, key=lambda one: one[0])]
    return (
        values,
        [batch.lines for batch in batches],
        [batch.texts for batch in batches],
        faults,
        [batch.after for batch in batches],
    )


def rows_of(batch: Batch) -> list[Any]:
    """List the instances of a batch, with the exceptions among them."""
    rows = np.asarray([*batch.instances], dtype=object).tolist()
    return [batch.exceptions_by_row.get(number) or row for number, row in enumerate(rows)]


@contextmanager
def reading_by(reader: str) -> Iterator[None]:
    """Have batches of numbers read by pyarrow, by NumPy, or row by row."""
    with pytest.MonkeyPatch.context() as patch:
        if reader == "numpy":
            patch.delitem(sys.modules, "pyarrow.csv", raising=False)
        elif reader == "rows":
            patch.setattr(file_csv, "NumberParser", lambda *arguments: None)
        yield


@settings(max_examples=400, deadline=None)
@given(lines=ROWS, end=st.sampled_from(["\n", "\r\n"]), last=st.booleans(), rows=st.integers(1, 8), few=st.sampled_from([0, 0.9]))
def test_values_faults_and_places_are_those_of_single_rows(lines: list[str], end: str, last: bool, rows: int, few: float) -> None:
    data = (end.join(["c,a,b", *lines]) + end * last).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_csv, "MAX_EXCEPTIONS", few)
        results = {}
        for reader in ("rows", "numpy", "pyarrow"):
            with reading_by(reader):
                results[reader] = read(data, rows)
    assert results["numpy"] == results["rows"]
    assert results["pyarrow"] == results["rows"]


@pytest.mark.parametrize("reader", ["numpy", "pyarrow"])
@pytest.mark.parametrize("odd", ["x", '"1"', "1\0", "1_0", "\u0661", "nan(7)", "1\r2", "1,2", "Na", "nulln", "NA1", " NA", "-NA"])
def test_one_irregular_value_leaves_the_lines_to_the_reader_of_rows(odd: str, reader: str) -> None:
    plain = [b"1,2", b"3,-4e5"]
    with reading_by(reader):
        assert parser(2, [1, 0]).parse(plain).tolist() == [[2.0, 1.0], [-4e5, 3.0]]
        for place in range(3):
            lines = [*plain[:place], f"1,{odd}".encode(), *plain[place:]]
            assert parser(2).parse(lines) is None


@pytest.mark.parametrize("reader", ["numpy", "pyarrow"])
@pytest.mark.parametrize("word", sorted(MISSING))
def test_words_that_mean_missing_are_read_as_nan(word: str, reader: str) -> None:
    with reading_by(reader):
        table = parser(3).parse([f"{word},{word},1".encode(), f"{word},2,{word}".encode()])
    assert np.array_equal(table, [[np.nan, np.nan, 1.0], [np.nan, 2.0, np.nan]], equal_nan=True)


@settings(max_examples=300, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False) | st.none(), min_size=1, max_size=40), width=st.integers(1, 3), data=st.data())
def test_pyarrow_finds_the_double_that_python_finds(values: list[float | None], width: int, data: Any) -> None:
    """A number may be written in any way, and values may be missing anywhere, also after the first eight."""
    forms = st.sampled_from([repr, "{:.3e}".format, "{:.17g}".format, "{:.25g}".format, "{:f}".format, "{:.0f}".format])
    texts = [data.draw(forms)(value) if value is not None else "NA" for value in values]
    texts += ["1"] * (-len(texts) % width)
    lines = [",".join(texts[place : place + width]).encode() for place in range(0, len(texts), width)]
    with reading_by("pyarrow"):
        table = parser(width).parse(lines)
    if any("inf" in text for text in texts):
        assert table is None
    else:
        assert [*map(bits, table.ravel().tolist())] == [bits(None if text == "NA" else float(text)) for text in texts]


def test_empty_values_are_nan() -> None:
    table = parser(3).parse([b",2,", b"1,,3", b",,"])
    assert np.isnan(table).tolist() == [[True, False, True], [False, True, False], [True, True, True]]


def test_a_truncated_line_is_not_read_as_its_beginning() -> None:
    data = b"a,b,c\n1,2,3\n1,2," + b"0" * (MAX_ROW + 1) + b"\n4,5,6"
    values, lines, _, faults, _ = read(data, 10)
    assert (len(values), lines, [fault[0] for fault in faults]) == (2, [[2, 4]], [3])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    X = np.random.default_rng(0).normal(size=(200, 5))
    path = tmp_path_factory.mktemp("numbers") / "m.safetensors"
    flyweight.pack(LogisticRegression().fit(X, X[:, 0] > 0), path, sample=X, name="m", version="1.0.0")
    return path


def test_a_file_of_numbers_gives_the_same_bytes_at_once_row_by_row_and_in_many_calls(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_scoring, "BATCH_ROWS", 64)
    monkeypatch.setattr(file_scoring, "PART_BYTES", 5000)
    predictor, store = flyweight.load(model), open_store(f"file://{tmp_path}", PATIENT)
    names = [feature.name for feature in predictor.signature.features]
    lines = [",".join(f"{value:.9g}" for value in row) for row in np.random.default_rng(1).normal(size=(1000, 5)).tolist()]
    lines[70] = lines[70].replace(",", ",inf,", 1).rpartition(",")[0]
    lines[80] = lines[80].replace(",", ",,", 1).rpartition(",")[0]
    lines[200] = lines[200].replace(",", ", ", 1)
    lines[300] = "bad"
    lines[301] = ""
    lines[400] = lines[400].replace(",", ",1e999,", 1).rpartition(",")[0]
    store.put("a.csv", "\n".join([",".join(names), *lines]).encode(), None)

    def bytes_of(done: Any) -> tuple[bytes, bytes]:
        return store.get(done.output, 1 << 20)[0], store.get(done.rejects, 1 << 20)[0]

    whole = {}
    for reader in ("pyarrow", "numpy", "rows"):
        with reading_by(reader):
            whole[reader] = bytes_of(file_scoring.score_object(predictor, store, "a.csv", store, reader))
    at_once = whole["numpy"]
    assert [json.loads(line)["line"] for line in at_once[1].splitlines()] == [72, 82, 302, 402]
    assert at_once[0].count(b"\n") == 995 and whole["pyarrow"] == at_once
    ticks, done, calls = count(), None, 0
    while done is None or not done.done:
        calls += 1
        try:
            deadline = next(ticks) + 8.0 + calls / 4
            done = file_scoring.score_object(predictor, store, "a.csv", store, "cut", deadline, now=lambda: float(next(ticks)))
        except TooLarge:
            continue
    assert calls > 1 and bytes_of(done) == at_once
    monkeypatch.setattr("flyweight.files.results._json_texts", lambda values: None)
    with reading_by("rows"):
        assert bytes_of(file_scoring.score_object(predictor, store, "a.csv", store, "lines")) == at_once


IMPORTED = """
import sys
import flyweight
from flyweight.files import csv_numbers
from flyweight.files import scoring as file_scoring
from flyweight.stores import open_store
store, predictor = open_store(sys.argv[2]), flyweight.load(sys.argv[1])
imported = []
for csv_numbers.PYARROW_MIN_BYTES in (1 << 30, 1):
    done = file_scoring.score_object(predictor, store, "a.csv", store, f"out-{csv_numbers.PYARROW_MIN_BYTES}")
    imported.append("pyarrow" in sys.modules)
print(imported, done.rows, "pandas" in sys.modules)
"""


def test_pyarrow_is_imported_for_a_large_file_only_and_pandas_for_none(model: Path, tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}", PATIENT).put("a.csv", b"x0,x1,x2,x3,x4\n" + b"1,2,,4,5\n1,2,3,4,5\n" * 3, None)
    command = [sys.executable, "-c", IMPORTED, model, f"file://{tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["[False,", "True]", "3", "False"], done.stderr


NUMBERS = st.floats() | st.integers() | st.booleans() | st.none()
TEXTS = st.text() | st.sampled_from(['","', "],[", "\ud800", "%s", "{}", "é\n"])
LABELS = st.one_of(*[st.lists(kind, min_size=3, max_size=3) for kind in (NUMBERS, TEXTS, NUMBERS | TEXTS)])
INNER = st.lists(NUMBERS | st.lists(NUMBERS, max_size=2), max_size=3) | st.lists(NUMBERS, max_size=3)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labels=LABELS, beside=st.none() | st.lists(INNER, min_size=3, max_size=3), samples=st.none() | LABELS)
def test_lines_written_by_column_are_those_written_one_by_one(labels: Any, beside: Any, samples: Any) -> None:
    prediction = Prediction(labels, beside, None, samples, None, None)

    def expected() -> Iterator[bytes]:
        for place in range(3):
            row = {"line": place + 4, "prediction": labels[place]}
            row |= {} if beside is None else {"probabilities": beside[place]}
            row |= {} if samples is None else {"score_sample": samples[place]}
            yield strict_json.encode(row) + b"\n"

    assert WRITERS["jsonl"](prediction, [4, 5, 6], False) == b"".join(expected())


@pytest.mark.parametrize("reader", ["numpy", "pyarrow"])
def test_only_the_features_own_words_mean_missing(reader: str) -> None:
    with reading_by(reader):
        assert np.isnan(parser(2, missing=frozenset(["?", ""])).parse([b"?,", b"1,?"])).tolist() == [[True, True], [False, True]]
        for word, missing in (
            ("NA", ["?"]),
            ("nan", ["?", ""]),
            ("NaN", ["nan"]),
            ("-nan", ["nan"]),
            ("", ["NA"]),
            ("NAN", [*MISSING]),
        ):
            assert parser(2, missing=frozenset(missing)).parse([b"1,2", f"1,{word}".encode(), b"3,4"]) is None, word


@pytest.mark.parametrize("reader", ["numpy", "pyarrow", "rows"])
@pytest.mark.parametrize("word", ["-999", "a,b", "é", '"'])
def test_a_number_or_a_text_with_a_comma_may_mean_missing(word: str, reader: str) -> None:
    features = [Feature(name, "number", True, missing=frozenset([word, ""])) for name in "ab"]
    validator = Validator(Signature("regression", features, 1), Limits())
    quoted = '"' + word.replace('"', '""') + '"'
    with reading_by(reader):
        values = read(f"a,b\n1,2\n{quoted},3\n4,\n".encode(), 10, validator)[0]
    assert values == [[bits(1.0), bits(2.0)], ["missing", bits(3.0)], [bits(4.0), "missing"]]
