"""The estimator's input is built from rows: datetimes of its unit and zone, and columns that nothing reads."""

from __future__ import annotations

from datetime import datetime
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flyweight.engines._estimator import Input
from flyweight.errors import ModelRefused
from flyweight.models.signature import Feature

NOON = 1_717_156_800_000_000.0  # 2024-05-31T12:00:00
DATE = Feature("at", "datetime", True)


def built(rows: list[list[Any]], types: list[Any], features: list[Feature], framed: bool = True) -> Any:
    spec = {"form": "table", "framed": framed, "types": types, "markers": ["nan"] * len(types)}
    return Input(spec, features).of(rows)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_frame_has_datetimes_of_the_unit_that_the_estimator_was_fitted_on(unit: str) -> None:
    column = built([[NOON], [nan]], [{"datetime": unit}], [DATE])["at"]
    assert column.dtype == f"datetime64[{unit}]"
    assert column[0] == pd.Timestamp("2024-05-31T12:00") and column.isna().tolist() == [False, True]


def test_a_datetime_that_is_finer_than_the_unit_keeps_its_microseconds() -> None:
    column = built([[NOON + 1]], [{"datetime": "s"}], [DATE])["at"]
    assert column[0] == pd.Timestamp("2024-05-31T12:00:00.000001")


def test_a_zone_is_that_of_the_column_that_the_estimator_was_fitted_on() -> None:
    features = [Feature("at", "datetime", True, zone="UTC")]
    assert built([[NOON]], [{"datetime": "ns"}], features)["at"].dt.hour.tolist() == [12]
    assert built([[NOON]], [{"datetime": "ns", "zone": "Europe/Berlin"}], features)["at"].dt.hour.tolist() == [14]


def test_arrays_hold_datetimes_of_the_unit_or_pythons_among_others() -> None:
    assert built([[NOON], [nan]], [{"datetime": "h"}], [DATE], False).dtype == "datetime64[h]"
    mixed = built([[NOON, "x"], [nan, None]], [{"datetime": "ns"}, "object"], [DATE, Feature("s", "string", True)], False)
    assert mixed[0].tolist() == [datetime(2024, 5, 31, 12), "x"] and np.isnan(mixed[1, 0])


def test_a_column_that_nothing_reads_is_there_without_values() -> None:
    frame = built([[nan, 1.0]], ["any", "float"], [Feature("id", "unread", True), Feature("x", "number", True)])
    assert [*frame.columns] == ["id", "x"] and frame["id"].isna().all() and frame["x"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("spec", "feature"),
    [
        ("any", Feature("x", "number", True)),
        ("float", DATE),
        ({"datetime": "years"}, DATE),
        ({"datetime": ["ns"]}, DATE),
        ({"datetime": "ns", "zone": 1}, DATE),
        ({"datetime": "ns", "zone": "../../etc/passwd"}, Feature("at", "datetime", True, zone="UTC")),
        ({"datetime": "ns", "zone": "Nowhere/At_all"}, Feature("at", "datetime", True, zone="UTC")),
        ({"datetime": "ns"}, Feature("x", "number", True)),
    ],
)
def test_a_type_that_does_not_fit_the_feature_is_refused(spec: Any, feature: Feature) -> None:
    with pytest.raises(ModelRefused):
        built([[1.0]], [spec], [feature])


def test_numbers_that_a_column_of_objects_held_are_objects_again() -> None:
    features = [Feature("b", "number", True), Feature("c", "number", True)]
    frame = built([[1.0, 1.5], [nan, nan], [2.5, 2.0]], ["whole", "object"], features)
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "object"]
    assert [type(value) for value in frame["b"]] == [int, float, float] and frame["c"].tolist()[::2] == [1.5, 2.0]
