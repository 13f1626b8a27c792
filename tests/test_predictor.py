"""The Python API: `flyweight.load(path).predict(...)`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import flyweight
from tests import fitted
from tests.ops.hostile import predictor

TAKE = {"op": "columns.take", "inputs": ["input"], "output": "y", "positions": [1]}


def test_a_loaded_model_answers_tables_lists_and_objects_alike(penguins: Path) -> None:
    estimator, X = fitted.penguins()
    model = flyweight.load(str(penguins))
    whole = model.predict(X)
    assert whole.predictions == estimator.predict(X).tolist()
    np.testing.assert_allclose(whole.probabilities, estimator.predict_proba(X), rtol=0, atol=1e-12)
    lists = [[None if cell != cell else cell for cell in row] for row in X.head(20).astype(object).to_numpy().tolist()]
    assert model.predict(lists).predictions == whole.predictions[:20]
    assert model.predict(X.head(20).to_dict("records")).predictions == whole.predictions[:20]
    assert "penguins 1.0.0, classification, 7 features" in repr(model)


@pytest.mark.parametrize("rows", [3, 344], ids=["few rows", "an array"])
def test_frames_of_every_library_have_the_same_answers(penguins: Path, rows: int) -> None:
    estimator, X = fitted.penguins()
    model, table = flyweight.load(str(penguins)), X.head(rows)
    expected = estimator.predict(table).tolist()
    nullable = table.convert_dtypes()
    arrow = pa.table({name: pa.array(table[name].tolist(), from_pandas=True) for name in reversed(table.columns)})
    forms: list[Any] = [
        table.to_dict("list"),
        table.set_axis(range(5, 5 + rows)),
        table[[*reversed(table.columns)]],
        table.astype({"island": "category", "sex": "category"}),
        nullable,
        nullable.convert_dtypes(dtype_backend="pyarrow"),
        table.to_numpy(),
        arrow,
        *arrow.combine_chunks().to_batches()[:1],
        pl.DataFrame(arrow),
        [table.iloc[place] for place in range(rows)],
        [*table.itertuples(index=False)],
        iter(table.to_dict("records")),
    ]
    for form in forms:
        assert model.predict(form).predictions == expected, type(form)
    for one in (table.iloc[0], table.iloc[0].to_dict(), table.head(1)):
        assert model.predict(one).predictions == expected[:1]


def test_a_program_may_ask_for_more_rows_than_a_request(penguins: Path) -> None:
    _, X = fitted.penguins()
    assert len(flyweight.load(str(penguins)).predict(X.to_dict("records") * 40).predictions) == 344 * 40


def test_numpy_arrays_are_instances() -> None:
    assert predictor([TAKE], "y").predict(np.array([[1.0, 2.0], [3.0, 4.0]])).predictions == [2.0, 4.0]


@pytest.mark.parametrize("rows", [1, 50], ids=["a row", "an array"])
@pytest.mark.parametrize(
    "value",
    [np.True_, np.datetime64(5, "ns"), np.timedelta64(5, "us"), np.complex64(1), date(2024, 1, 1), "5", b"5", [5]],
    ids=repr,
)
def test_what_is_no_number_is_refused_in_one_row_and_in_many(penguins: Path, rows: int, value: Any) -> None:
    _, X = fitted.penguins()
    instance = X.dropna().iloc[0].tolist()
    instance[1] = value
    model = flyweight.load(str(penguins))
    for table in ([instance] * rows, [dict(zip(X.columns, instance, strict=True))] * rows):
        with pytest.raises(flyweight.InvalidInput, match="instance 0, feature 'bill_length_mm': expected a number or null"):
            model.predict(table)
    numbers = predictor([TAKE], "y", engines=["pure", "numpy"])
    assert numbers.validator.prefers_array(50)
    with pytest.raises(flyweight.InvalidInput, match="instance 0, feature 'b': expected a number or null"):
        numbers.predict([[1.0, value]] * rows)


@pytest.mark.parametrize("rows", [1, 50], ids=["a row", "an array"])
def test_scalars_of_libraries_are_values_in_one_row_and_in_many(rows: int) -> None:
    model = predictor([TAKE], "y", engines=["pure", "numpy"])
    for value in (np.float32(0.5), np.float64(0.5), np.longdouble(0.5), np.array(0.5)):
        assert model.predict([[np.int8(1), value]] * rows).predictions == [0.5] * rows
        assert model.predict([{"a": pd.NA, "b": value}] * rows).predictions == [0.5] * rows


def test_a_wrong_instance_is_an_invalid_input(penguins: Path) -> None:
    model = flyweight.load(str(penguins))
    with pytest.raises(flyweight.InvalidInput, match="instance 0"):
        model.predict([[1, 2]])
    with pytest.raises(flyweight.InvalidInput, match="one row is a list of its own"):
        model.predict(["Biscoe", 46.1, 13.2, 211, 4500, "female", 2007])
    frame = fitted.penguins()[1].rename(columns={"island": "Island"})
    with pytest.raises(flyweight.InvalidInput, match="did you mean 'island'"):
        model.predict(frame)


def test_an_absent_file_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        flyweight.load("absent.safetensors")
