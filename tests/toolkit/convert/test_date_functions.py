"""A function of datetimes becomes ops if they give the same, and is refused by name if they do not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from flyweight.toolkit.convert import transform
from flyweight.toolkit.convert.draft import ConversionRefused, Draft
from flyweight.toolkit.packing.pack import pack

START = pd.Timestamp("2021-03-04 05:00")
DATES = pd.DataFrame({"at": pd.date_range("2019-12-30", periods=120, freq="61h").as_unit("us")})


def ops_of(function: Callable[[Any], Any], frame: pd.DataFrame = DATES) -> list[str]:
    """Convert a function, and return the names of the ops."""
    kinds = {position: "datetime" for position in range(frame.shape[1])}
    draft = Draft([*frame.columns], None, kinds, dict(enumerate(frame.dtypes)))
    transform(FunctionTransformer(function).fit(frame), draft.input, draft)
    return [node["op"] for node in draft.nodes]


def one(of: Callable[[Any], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: of(frame["at"]).to_frame()


def test_a_part_is_one_op() -> None:
    assert ops_of(one(lambda at: at.dt.hour)) == ["dates.part"]


def test_a_function_of_one_part_is_a_table() -> None:
    assert ops_of(one(lambda at: np.sin(2 * np.pi * at.dt.month / 12))) == ["dates.part", "encode.ordinal"]
    assert ops_of(one(lambda at: at.dt.month.map(lambda month: "summer" if 6 <= month <= 8 else "other"))) == [
        "dates.part",
        "encode.ordinal",
        "strings.name",
    ]


def test_a_span_is_counted_from_the_moment_that_the_function_uses() -> None:
    assert ops_of(one(lambda at: (at - START).dt.days)) == ["scale.center", "dates.floor", "scale.center", "scale.stretch"]
    assert ops_of(one(lambda at: (at - START) / np.timedelta64(1, "h"))) == ["scale.center", "scale.center"]


def test_days_that_are_listed_are_no_function_of_a_part() -> None:
    holidays = {pd.Timestamp("2020-12-25"), pd.Timestamp("2021-04-05")}
    with pytest.raises(ConversionRefused, match="'at' is nothing that a model file can compute of datetimes"):
        ops_of(one(lambda at: at.dt.normalize().isin(holidays)))


def test_a_function_of_other_rows_is_refused() -> None:
    with pytest.raises(ConversionRefused, match="depends on the other rows"):
        ops_of(one(lambda at: (at - at.min()).dt.days))


def test_an_error_of_the_function_is_named() -> None:
    def broken(frame: pd.DataFrame) -> Any:
        raise RuntimeError("no such calendar")

    with pytest.raises(ConversionRefused, match=r"FunctionTransformer\(broken\): .* raised RuntimeError: no such calendar"):
        draft = Draft(["at"], None, {0: "datetime"}, {0: DATES.dtypes.iloc[0]})
        estimator = FunctionTransformer(lambda frame: frame).fit(DATES)
        transform(estimator.set_params(func=broken), draft.input, draft)


def test_a_datetime_among_a_transformers_answers_is_refused() -> None:
    model = make_column_transformer((StandardScaler(), ["number"]), remainder="passthrough").set_output(transform="pandas")
    frame = DATES.assign(number=np.arange(120.0))
    with pytest.raises(Exception, match="holds a datetime"):
        pack(model.fit(frame), sample=frame, engine="pure", edge_count=10)


def test_a_step_of_ones_own_over_datetimes_is_at_parity(monkeypatch: pytest.MonkeyPatch) -> None:
    def odd_day(frame: pd.DataFrame) -> Any:
        return np.array([[float(at.toordinal() * at.hour % 13)] for at in frame["at"]])

    steps = ModuleType("flyweight_steps")
    steps.STEPS = {"odd_day": (lambda row: [float(row[0].toordinal() * row[0].hour % 13)], "n")}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flyweight_steps", steps)
    model = make_pipeline(FunctionTransformer(odd_day), Ridge()).fit(DATES, np.arange(120.0))
    packed = pack(model, sample=DATES, engine="pure", edge_count=100)
    assert packed.parity.holds and "own.dated_step" in packed.steps[1].ops
