"""Samples that are tables of polars or Arrow are packed as those of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from flyweight.toolkit.packing.other_frames import as_pandas
from flyweight.toolkit.packing.pack import pack
from flyweight.toolkit.packing.sample import SampleRefused

ROWS = 60
RNG = np.random.default_rng(0)
SIZE = RNG.normal(size=ROWS)
WORDS = [[None, "NA", "DE"][place % 3] for place in range(ROWS)]
Y = (SIZE > 0).astype(int)


def encoded(column: str) -> Any:
    encoder = ColumnTransformer([("words", OneHotEncoder(handle_unknown="ignore"), [column])], remainder="passthrough")
    return make_pipeline(encoder, LogisticRegression())


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["DE", "NA"])], ids=str)
def test_words_of_polars_with_missing_ones_are_packed(dtype: Any) -> None:
    frame = pl.DataFrame({"size": SIZE, "country": pl.Series(WORDS, dtype=dtype)})
    assert pack(encoded("country").fit(frame, Y), sample=frame, edge_count=20).parity.label_differences == 0


@pytest.mark.parametrize("table", [pl.DataFrame, pa.table, pa.record_batch], ids=["polars", "Arrow's table", "Arrow's batch"])
def test_numbers_and_booleans_are_packed_and_a_table_of_the_same_form_is_answered(table: Any) -> None:
    frame = pd.DataFrame({"size": SIZE, "flag": SIZE > 0.5})
    estimator = LogisticRegression().fit(frame, Y)
    sample = table({"size": SIZE, "flag": SIZE > 0.5})
    assert pack(estimator, sample=sample, edge_count=20).parity.label_differences == 0
    assert as_pandas(sample).dtypes.to_dict() == frame.dtypes.to_dict()


def test_missing_values_are_none_in_texts_and_booleans_and_nan_in_numbers() -> None:
    columns: dict[str, Any] = {"text": ["a", None], "flag": [True, None], "number": [1, None]}
    for table in (pl.DataFrame(columns), pa.table(columns)):
        frame = as_pandas(table)
        assert frame["text"].tolist() == ["a", None] and frame["flag"].tolist() == [True, None]
        assert frame["number"].dtype == float and frame["number"].isna().tolist() == [False, True]


def test_a_query_of_polars_is_refused_with_the_call_that_collects_it() -> None:
    with pytest.raises(SampleRefused, match="LazyFrame") as refused:
        as_pandas(pl.DataFrame({"size": SIZE}).lazy())
    assert "collect()" in refused.value.next_step
