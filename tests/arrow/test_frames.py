"""DataFrames of pandas and of polars have the scorer's answers, beside the columns that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import flyweight
from flyweight.arrow.scorer import Scorer, WrongScorer
from flyweight.errors import InvalidInput
from tests import fitted

FRAME = fitted.penguins()[1]
IDS = FRAME.assign(id=pd.Series(range(len(FRAME)), dtype="UInt16", index=FRAME.index)).set_index(FRAME.index[::-1])


@pytest.fixture(scope="module")
def expected(penguins: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Scorer(penguins)(pa.Table.from_pandas(FRAME, preserve_index=False)).to_pylist()
    return [{"id": number, **row} for number, row in enumerate(found)]


def test_a_frame_of_pandas_has_the_answers_and_its_index(penguins: Path, expected: list[dict[str, Any]]) -> None:
    scored = flyweight.pandas.score(IDS, penguins, keep=["id"])
    assert pa.Table.from_pandas(scored, preserve_index=False).to_pylist() == expected
    assert scored.index.equals(IDS.index) and scored["id"].dtype == "UInt16"


def test_a_frame_of_pandas_without_rows_has_the_same_columns(penguins: Path) -> None:
    scored, empty = (flyweight.pandas.score(rows, penguins, keep=["id"]) for rows in (IDS, IDS[:0]))
    assert len(empty) == 0 and list(empty.dtypes) == list(scored.dtypes) and list(empty) == list(scored)
    with pytest.raises(InvalidInput, match="sex"):
        flyweight.pandas.score(IDS[:0].drop(columns=["sex"]), penguins)


@pytest.mark.parametrize("rows", [FRAME.convert_dtypes(dtype_backend="pyarrow"), FRAME.astype({"island": "category"})])
def test_frames_of_other_types_have_the_same_answers(rows: pd.DataFrame, penguins: Path, expected: list[dict[str, Any]]) -> None:
    scored = flyweight.pandas.score(rows, penguins)
    assert [{"id": number, **row} for number, row in enumerate(scored.to_dict("records"))] == expected


def test_rows_of_pandas_that_fail_have_their_reason_in_a_column(penguins: Path) -> None:
    broken = IDS.assign(bill_length_mm=IDS["bill_length_mm"].where(IDS["id"] != 5, float("inf")))
    scored = flyweight.pandas.score(broken, penguins, on_error="column")
    assert scored["error"].notna().sum() == 1 and "bill_length_mm" in scored["error"].iloc[5]
    assert pd.isna(scored["prediction"].iloc[5]) and scored["prediction"].notna().sum() == len(FRAME) - 1
    with pytest.raises(InvalidInput, match="instance 5"):
        flyweight.pandas.score(broken, penguins)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_lazy_frame_of_polars_has_the_answers_in_its_order(
    engine: Any, penguins: Path, tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    pl.DataFrame(pa.Table.from_pandas(IDS, preserve_index=False)).write_parquet(tmp_path / "birds.parquet", row_group_size=50)
    lazy = flyweight.polars.score(pl.scan_parquet(tmp_path / "birds.parquet"), penguins, keep=["id"])
    scored = lazy.collect(engine=engine)
    assert scored.to_dicts() == expected and scored.schema == lazy.collect_schema() and scored.schema["id"] == pl.UInt16
    assert lazy.filter(pl.col("id") < 0).collect(engine=engine).schema == scored.schema


def test_a_frame_of_polars_has_the_answers(penguins: Path, expected: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(pa.Table.from_pandas(IDS, preserve_index=False)).with_columns(pl.col("island").cast(pl.Categorical))
    assert flyweight.polars.score(frame, penguins, keep=["id"]).to_dicts() == expected
    assert flyweight.polars.score(frame, penguins, keep=["id", "island"])["island"].dtype == pl.Categorical
    assert flyweight.polars.score(frame[:0], penguins).height == 0
    with pytest.raises(WrongScorer, match="'prediction' twice"):
        flyweight.polars.score(frame, penguins, keep=["prediction"])


def test_a_column_to_keep_that_is_not_there_is_named(penguins: Path) -> None:
    frame = pl.DataFrame(pa.Table.from_pandas(IDS, preserve_index=False))
    said = "no column 'ident', which is to be kept; it has island, .*, id"
    with pytest.raises(WrongScorer, match=said):
        flyweight.pandas.score(IDS, penguins, keep=["ident"])
    for rows in (frame, frame.lazy()):
        with pytest.raises(WrongScorer, match=said):
            flyweight.polars.score(rows, penguins, keep=["ident"])


def test_a_table_of_another_library_is_named(penguins: Path) -> None:
    with pytest.raises(WrongScorer, match=r"got pandas\.DataFrame; flyweight\.pandas\.score and"):
        Scorer(penguins)(IDS)
    with pytest.raises(WrongScorer, match="DataFrame of pandas, got list"):
        flyweight.pandas.score([[1, 2]], penguins)
    with pytest.raises(WrongScorer, match=r"LazyFrame of polars, got pandas\.DataFrame"):
        flyweight.polars.score(IDS, penguins)
