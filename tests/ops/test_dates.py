"""Parts of datetimes are those of pandas, one by one and all at once; plans that could go wrong are refused."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import ModelRefused
from flyweight.ops.dates import PARTS
from tests.ops.hostile import Arrays, damaged, document, f64, loaded, predictor

DAY = 86_400_000_000
LAST = 1 << 53  # the first and last microseconds that a double holds are in 1684 and 2255
FIRST = -LAST
# part -> pandas' own, of a Series of datetimes
PANDAS: dict[str, Any] = {
    **{part: (lambda dates, part=part: getattr(dates.dt, part)) for part in PARTS},
    "minute_of_day": lambda dates: dates.dt.hour * 60 + dates.dt.minute,
    "second_of_day": lambda dates: dates.dt.hour * 3600 + dates.dt.minute * 60 + dates.dt.second,
    "weekday": lambda dates: dates.dt.day_of_week,
    "iso_year": lambda dates: dates.dt.isocalendar().year,
    "week": lambda dates: dates.dt.isocalendar().week,
}
MOMENTS = st.one_of(
    st.integers(FIRST, LAST - 1),
    st.integers(FIRST // DAY, LAST // DAY - 1).map(lambda day: day * DAY),
    st.integers(FIRST // DAY, LAST // DAY - 1).map(lambda day: day * DAY + DAY - 1),
    st.dates(date(1685, 1, 1), date(2255, 5, 31)).map(lambda day: (day.toordinal() - date(1970, 1, 1).toordinal()) * DAY),
    st.none(),
)


def parts_model(*parts: str, missing: float = math.nan) -> Any:
    count = len(parts)
    return loaded("dates.part", {"positions": [0] * count, "parts": [*parts]}, {"missing": f64(*[missing] * count)}, count)


def both(model: Any, values: list[float]) -> list[list[list[float]]]:
    """Return the answers by rows and by batches."""
    op = model.engine.plan.ops[0]
    table = np.array([[v, 0.0] for v in values])
    return [[op.row([v, 0.0]) for v in values], op.batch(table).tolist()]


@settings(max_examples=60, deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=60))
def test_each_part_is_that_of_pandas_in_rows_and_in_batches(moments: list[int | None]) -> None:
    dates = pd.Series(np.array([np.iinfo(np.int64).min if m is None else m for m in moments]).astype("datetime64[us]"))
    values = [math.nan if m is None else float(m) for m in moments]
    for answers in both(parts_model(*PARTS), values):
        for column, part in enumerate(PARTS):
            expected = PANDAS[part](dates)[dates.notna()].astype(float).tolist()
            ours = [row[column] for row in answers]
            assert [v for v, m in zip(ours, moments, strict=True) if m is not None] == expected, part
            assert all(v != v for v, m in zip(ours, moments, strict=True) if m is None), part


def test_a_flag_of_a_missing_datetime_is_what_the_plan_says() -> None:
    for answers in both(parts_model("is_month_start", missing=0.0), [math.nan, 0.0]):
        assert answers == [[0.0], [1.0]]


@settings(max_examples=40, deadline=None)
@given(st.lists(MOMENTS, min_size=1, max_size=30), st.sampled_from(["D", "h", "min", "s", "ms"]))
def test_a_datetime_is_rounded_down_as_by_pandas(moments: list[int | None], period: str) -> None:
    dates = pd.Series(np.array([np.iinfo(np.int64).min if m is None else m for m in moments]).astype("datetime64[us]"))
    length = pd.Timedelta(1, period) // pd.Timedelta(1, "us")
    expected = dates.dt.floor(period).astype("int64").tolist()
    model = loaded("dates.floor", {"positions": [0], "period": length}, {}, 1)
    for answers in both(model, [math.nan if m is None else float(m) for m in moments]):
        for (ours,), theirs, moment in zip(answers, expected, moments, strict=True):
            assert ours != ours if moment is None else ours == theirs


STRANGE = [math.inf, -math.inf, 1e300, -1e300, 2.0**60, -(2.0**60), 0.5, -0.5, 1e-320, float(DAY) * 2932896, -0.0]


@pytest.mark.parametrize("op", ["dates.part", "dates.floor"])
def test_numbers_that_are_no_datetimes_are_answered_alike(op: str) -> None:
    model = parts_model(*PARTS) if op == "dates.part" else loaded(op, {"positions": [0], "period": DAY}, {}, 1)
    rows, batch = both(model, STRANGE)
    np.testing.assert_array_equal(rows, batch)


VALID: dict[str, tuple[dict[str, Any], Arrays]] = {
    "dates.part": ({"positions": [0, 1], "parts": ["year", "hour"]}, {"missing": f64(0, 1)}),
    "dates.floor": ({"positions": [1, 0], "period": DAY}, {}),
}


@pytest.mark.parametrize(
    ("op", "changes"),
    [
        ("dates.part", {"parts": ["year", "century"]}),
        ("dates.part", {"parts": ["year", "__class__"]}),
        ("dates.part", {"parts": ["year"]}),
        ("dates.part", {"parts": "year"}),
        ("dates.part", {"positions": [0, 2]}),
        ("dates.part", {"positions": [0, -1]}),
        ("dates.part", {"positions": [0] * (1 << 21)}),
        ("dates.part", {"missing": f64(0)}),
        ("dates.floor", {"period": 0}),
        ("dates.floor", {"period": 10**30}),
        ("dates.floor", {"period": 1.5}),
        ("dates.floor", {"positions": [3]}),
    ],
)
def test_a_plan_that_could_go_wrong_is_refused(op: str, changes: dict[str, Any]) -> None:
    parameters, arrays = VALID[op]
    loaded(op, parameters, arrays, 2)
    with pytest.raises(ModelRefused):
        loaded(
            op,
            parameters | {k: v for k, v in changes.items() if k not in arrays},
            {**arrays, **{k: v for k, v in changes.items() if k in arrays}},
            2,
        )


def test_a_part_of_a_string_is_refused() -> None:
    node = {"op": "dates.part", "inputs": ["input"], "output": "y", "positions": [0], "parts": ["year"]}
    features = [{"name": "a", "kind": "string", "nullable": True}]
    signature = {"task": "regression", "features": features, "outputs": 1}
    with pytest.raises(ModelRefused, match="got strings"):
        predictor([{**node, "arrays": {"missing": "missing"}}], "y", {"missing": f64(0)}, signature=signature)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([*VALID]))
def test_a_damaged_plan_is_refused_or_answers(data: st.DataObject, op: str) -> None:
    parameters, arrays = VALID[op]
    node = {"op": op, "inputs": ["input"], "output": "y", "arrays": {name: name for name in arrays}, **parameters}
    try:
        model = damaged(data, document([node], "y", outputs=2), arrays)
    except ModelRefused:
        return
    model.answer([[0.0, math.nan], [1e18, -5.0]])
