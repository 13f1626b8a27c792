"""A batch stored by column gives the same bytes as its rows, for any values."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import flyweight
from flyweight.files import csv as file_csv
from flyweight.files import scoring as file_scoring
from flyweight.files.csv import Columns
from flyweight.stores import open_store
from tests import fitted
from tests.services.fixtures import PATIENT

TABLE = fitted.penguins()[1].iloc[:40]
NAMES = [*TABLE.columns]
ROWS = TABLE.to_csv(index=False, header=False).splitlines()
TEXTS = ["NA", "", " ", "x", "7", "Torgersen", "1e999", "1_0", '"a, b"', '"', "nan", "ü", "true", "a,b", "\r", "\ud800"]
ODD = st.sampled_from(TEXTS)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Draw rows of which a few have an irregular value."""
    rows = draw(st.lists(st.sampled_from(ROWS), max_size=120))
    for place in draw(st.lists(st.integers(0, 119), max_size=4)):
        if place < len(rows):
            cells = rows[place].split(",")
            cells[draw(st.integers(0, len(NAMES) - 1))] = draw(ODD)
            rows[place] = ",".join(cells)
    return "\n".join([",".join(NAMES), *rows]).encode("utf-8", "surrogatepass")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=lines(), file_format=st.sampled_from(["jsonl", "csv"]))
def test_columns_and_rows_give_the_same_bytes(penguins: Path, data: bytes, file_format: str) -> None:
    predictor = flyweight.load(penguins)
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        store = open_store(f"file://{place}", PATIENT)
        store.put("a.csv", data, None)

        def written(prefix: str) -> tuple[bytes, bytes]:
            done = file_scoring.score_object(predictor, store, "a.csv", store, prefix, file_format=file_format)
            return store.get(done.output, 1 << 20)[0], store.get(done.rejects, 1 << 20)[0] if done.rejects else b""

        patch.setattr(file_scoring, "BATCH_ROWS", 50)
        by_column = written("columns")
        patch.setattr(file_csv, "Columns", lambda names, values: [*map(list, zip(*values, strict=True))])
        assert written("rows") == by_column


def test_columns_are_read_as_a_table_and_as_rows() -> None:
    columns = Columns(["b", "a"], [[1.0, 2.0], ["x", None]])
    assert (len(columns), columns["a"], columns.columns.tolist()) == (2, ["x", None], ["b", "a"])
    assert [*columns] == columns.tolist() == [[1.0, "x"], [2.0, None]]
