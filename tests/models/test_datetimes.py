"""Datetimes become microseconds since 1970 exactly, from texts and objects alike, or are refused; no offset is guessed."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyweight.models import arrays
from flyweight.models.datetimes import LIMIT, NotDatetime, iso, microseconds
from flyweight.models.signature import Feature, Signature
from flyweight.models.validation import Validator
from flyweight.settings import Limits

NOON = 1_717_156_800_000_000.0  # 2024-05-31T12:00:00
MOMENTS = st.integers(-LIMIT, LIMIT)

NAIVE: list[Any] = [
    "2024-05-31T12:00:00", "2024-05-31 12:00", "2024-05-31t12:00:00.000000000", " 2024-05-31T12:00:00,0 ",
    datetime(2024, 5, 31, 12), np.datetime64("2024-05-31T12:00"), np.datetime64("2024-05-31T12:00:00", "ns"),
    pd.Timestamp("2024-05-31T12:00"),
]  # fmt: skip
AWARE: list[Any] = [
    "2024-05-31T12:00:00Z", "2024-05-31T14:00:00+02:00", "2024-05-31 06:30-0530", "2024-05-31T12:00z",
    datetime(2024, 5, 31, 12, tzinfo=UTC), datetime(2024, 5, 31, 14, tzinfo=timezone(timedelta(hours=2))),
    pd.Timestamp("2024-05-31T14:00", tz="Europe/Berlin"),
]  # fmt: skip


@pytest.mark.parametrize("value", NAIVE, ids=repr)
def test_without_a_zone_an_offset_is_refused(value: Any) -> None:
    assert microseconds(value, "none") == NOON
    with pytest.raises(NotDatetime, match="no offset"):
        microseconds(value, "UTC")


@pytest.mark.parametrize("value", AWARE, ids=repr)
def test_in_utc_an_offset_is_needed_and_converted(value: Any) -> None:
    assert microseconds(value, "UTC") == NOON
    with pytest.raises(NotDatetime, match="has an offset"):
        microseconds(value, "none")


def test_a_date_is_its_midnight() -> None:
    assert microseconds("2024-05-31", "none") == microseconds(date(2024, 5, 31), "none") == NOON - 12 * 3600e6
    assert microseconds("2024-05-31Z", "UTC") == NOON - 12 * 3600e6


@pytest.mark.parametrize("value", [pd.NaT, np.datetime64("NaT", "ns"), np.datetime64("NaT", "us")], ids=repr)
def test_what_is_not_a_time_is_missing(value: Any) -> None:
    assert math.isnan(microseconds(value, "none")) and math.isnan(microseconds(value, "UTC"))
    assert iso(math.nan, "none") is None


WRONG: list[tuple[Any, str]] = [
    ("", "''"), ("31/05/2024", "31/05/2024"), ("2024-5-31", "2024-5-31"), ("20240531", "20240531"), ("1717156800", "1717"),
    ("2024-02-30", "day"), ("2024-05-31T24:00", "24:00"), ("2024-05-31T12", "T12"), ("2024-05-31-02:00", "has an offset"),
    ("2024-05-31x12:00", "x12"), ("\u0662024-05-31", "-05-31"), ("0000-01-01", "year"), ("1684-01-01", "not within 1684"),
    ("9999-12-31", "not within"), ("2024-05-31T12:00:00.0000001", "finer than a microsecond"), (1717156800, "1717156800"),
    (None, "null"), ([], "array"), (np.datetime64("2024-05-31T12:00:00.0000001"), "finer"), (np.timedelta64(1, "s"), "timedelta"),
    (pd.Timestamp("2024-05-31T12:00:00.0000001"), "finer"), (np.array(["2024-05-31"], "M8[D]"), "array"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "words"), WRONG, ids=repr)
def test_anything_else_is_refused_and_shown(value: Any, words: str) -> None:
    with pytest.raises(NotDatetime, match=words):
        microseconds(value, "none")


@given(MOMENTS)
def test_every_microsecond_is_written_and_read_exactly(number: int) -> None:
    assert microseconds(iso(number, "none"), "none") == microseconds(iso(float(number), "UTC"), "UTC") == number
    assert microseconds(datetime(1970, 1, 1) + timedelta(microseconds=number), "none") == number
    assert microseconds(np.datetime64(number, "us"), "none") == number


def columns(numbers: list[int | None], unit: str, zone: str) -> pd.Series[Any]:
    column = pd.Series(
        [None if number is None else np.datetime64(number, "us") for number in numbers], dtype=f"datetime64[{unit}]"
    )
    return column if zone == "none" else column.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")


@given(st.lists(MOMENTS | st.none(), min_size=1, max_size=5), st.sampled_from(["us", "ns"]), st.sampled_from(["none", "UTC"]))
def test_a_column_gives_what_its_values_give(numbers: list[int | None], unit: str, zone: str) -> None:
    feature = Feature("a", "datetime", True, zone=zone)
    validator = Validator(Signature("regression", [feature], 1), Limits())
    column = columns(numbers, unit, zone)
    table = arrays.array_of(pd.DataFrame({"a": column}), [feature], Limits())
    expected = np.array(validator.rows([[value] for value in column.tolist()]))
    assert np.array_equal(table, expected, equal_nan=True)
    assert expected[:, 0].tolist() == pytest.approx([math.nan if number is None else number for number in numbers], nan_ok=True)
    other = Feature("a", "datetime", True, zone="UTC" if zone == "none" else "none")
    if any(number is not None for number in numbers):
        assert arrays.array_of(pd.DataFrame({"a": column}), [other], Limits()) is None
