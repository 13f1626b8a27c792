"""Arrays have the same values in NumPy as in Arrow, and crossing over imports no pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.arrow.buffers import LETTERS, integers, texts, to_arrow, to_numpy

KINDS = [pa.type_for_alias(name) for name in (*LETTERS, "bool")]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(KINDS), st.lists(st.one_of(st.none(), st.integers(0, 1)), max_size=40), st.integers(0, 40))
def test_numbers_are_those_of_arrow_wherever_an_array_is_cut(kind: Any, values: list[int | None], first: int) -> None:
    given_values: list[Any] = [None if value is None else bool(value) if kind == pa.bool_() else float(value) for value in values]
    column = pa.array(given_values, pa.bool_() if kind == pa.bool_() else pa.float64()).cast(kind)[first:]
    found, wanted = to_numpy(column), given_values[first:]
    if kind == pa.bool_() and None in wanted:
        assert found is None
        return
    assert found is not None and len(found) == len(wanted)
    assert [None if value != value else value for value in found.tolist()] == wanted
    if wanted and None not in wanted:
        assert found.dtype == column.to_numpy(zero_copy_only=False).dtype


def test_other_types_have_no_numbers() -> None:
    assert to_numpy(pa.array(["a"])) is None and to_numpy(pa.array([[1.0]])) is None


@given(st.lists(st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1)), max_size=20))
def test_whole_numbers_are_those_of_arrow(values: list[int | None]) -> None:
    assert integers(values).equals(pa.array(values, pa.int64()))


@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), max_size=20))
def test_texts_are_those_of_arrow(values: list[str | None]) -> None:
    made = texts(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))


@pytest.mark.parametrize("values", [np.arange(5.0), np.arange(10).reshape(5, 2)[:, 1], np.arange(3, dtype=np.int32)])
def test_numbers_go_to_arrow(values: Any) -> None:
    assert to_arrow(values).equals(pa.array(values))


PENGUINS = b"""island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year
Torgersen,39.1,18.7,181,3750,male,2007
Biscoe,,18.7,181,3750,,2007
"""
SCRIPT = """
import sys, pyarrow as pa
from pyarrow import csv
table = csv.read_csv(pa.py_buffer({rows}), convert_options=csv.ConvertOptions(strings_can_be_null=True))
if {without}:
    sys.modules["numpy"] = None
import flyweight
found = flyweight.Scorer({model}, keep=["island"])(table.to_batches()[0])
print("pandas" in sys.modules, found.column("prediction").to_pylist())
"""


@pytest.mark.parametrize("without", [False, True], ids=["with NumPy", "without NumPy"])
def test_a_scorer_needs_no_numpy_and_with_it_imports_no_pandas(without: bool, penguins: Path) -> None:
    script = SCRIPT.format(rows=repr(PENGUINS), without=without, model=repr(str(penguins)))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported, answers = done.stdout.split(maxsplit=1)
    assert answers == "['Adelie', 'Adelie']\n" and (without or imported == "False")
