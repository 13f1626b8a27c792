"""Functions of datetimes, feature_engine's datetime transformers, in many configurations, fitted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from feature_engine.datetime import DatetimeFeatures, DatetimeOrdinal, DatetimeSubtraction
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tests.parity.cases import Case, of
from tests.parity.tables import Table

NEW_YEAR = pd.Timestamp("2020-01-01")


@cache
def stays(unit: str = "us", zone: str | None = None, *, missing: bool = False) -> Table:
    """Two datetimes, a number and a word; the target depends on the hour, the weekday, the year and the days between."""
    rng = np.random.default_rng(0)
    start = pd.Series(rng.integers(1_400_000_000, 1_900_000_000, 240).astype("datetime64[s]")).dt.as_unit(unit)
    start[::5] = start[::5].dt.normalize()
    end = start + pd.to_timedelta(rng.integers(0, 30 * 86_400, 240), unit="s").as_unit(unit)
    frame = pd.DataFrame(
        {"start": start, "end": end, "beds": rng.integers(1, 4, 240), "city": rng.choice(["Bern", "Genève"], 240)}
    )
    hours, nights = frame["start"].dt.hour, (frame["end"] - frame["start"]).dt.days
    target = hours + 3 * frame["start"].dt.day_of_week + frame["start"].dt.year - 2000 + nights + frame["beds"]
    if missing:
        frame.loc[::7, "start"] = pd.NaT
    for name in ("start", "end") if zone else ():
        frame[name] = frame[name].dt.tz_localize(zone)
    return frame, target.to_numpy(dtype=float)


def table(*names: str, **options: Any) -> Callable[[], Table]:
    def chosen() -> Table:
        frame, target = stays(**options)
        return frame[[*names]], target

    return chosen


def parts(frame: pd.DataFrame) -> pd.DataFrame:
    start = frame["start"].dt
    angle = 2.0 * np.pi * start.hour / 24.0
    columns = {"year": start.year, "month": start.month, "weekday": start.day_of_week, "sin": np.sin(angle), "cos": np.cos(angle)}
    return pd.DataFrame({**columns, "weekend": start.day_of_week >= 5, "week": start.isocalendar().week.astype("int64")})


def spans(frame: pd.DataFrame) -> pd.DataFrame:
    nights = frame["end"] - frame["start"]
    return pd.DataFrame(
        {"nights": nights.dt.days, "seconds": nights.dt.total_seconds(), "age": (frame["start"] - NEW_YEAR).dt.days}
    )


def since(frame: pd.DataFrame, day: str) -> pd.DataFrame:
    return frame.apply(lambda dates: (dates - pd.Timestamp(day)).dt.days)


def by(function: Any, **options: Any) -> Callable[[], Case]:
    columns = make_column_transformer((FunctionTransformer(function), ["start", "end"]), remainder="passthrough")
    return of(make_pipeline(columns, StandardScaler(), Ridge()), table("start", "end", "beds", **options))


def of_start(function: Any, **options: Any) -> Callable[[], Case]:
    return of(make_pipeline(FunctionTransformer(function), DecisionTreeRegressor(max_depth=6)), table("start", **options))


def after(transformer: Any, *names: str, **options: Any) -> Callable[[], Case]:
    return of(make_pipeline(transformer, SimpleImputer(), Ridge()), table(*names, **options))


ALL: dict[str, Any] = {"features_to_extract": "all", "drop_original": True}

FAMILIES: dict[str, dict[str, Callable[[], Case]]] = {
    "dates": {
        "parts": by(parts),
        "parts-nanoseconds": by(parts, unit="ns"),
        "parts-seconds": by(parts, unit="s"),
        "parts-utc": by(parts, zone="UTC"),
        "spans": by(spans),
        "spans-nanoseconds": by(spans, unit="ns"),
        "one-column": of(
            make_pipeline(
                ColumnTransformer(
                    [
                        ("hour", FunctionTransformer(lambda start: start.dt.hour.to_frame()), "start"),
                        ("c", OneHotEncoder(), ["city"]),
                    ]
                ),
                Ridge(),
            ),
            table("start", "city"),
        ),
        "hours-and-minutes": of_start(lambda frame: frame.apply(lambda dates: dates.dt.hour + dates.dt.minute / 60)),
        "names-of-days": of(
            make_pipeline(
                FunctionTransformer(lambda frame: frame.apply(lambda dates: dates.dt.day_name())),
                OneHotEncoder(handle_unknown="ignore"),
                Ridge(),
            ),
            table("start"),
        ),
        "numpy-months": of_start(lambda frame: frame.to_numpy().astype("datetime64[M]").astype(int) % 12 + 1),
        "numpy-days": of_start(lambda frame: (frame.to_numpy() - np.datetime64("2020-01-01")) / np.timedelta64(1, "D")),
        "seconds-since-1970": of_start(lambda frame: frame.astype("int64") // 10**9, unit="ns"),
        "two-steps": of(
            make_pipeline(
                FunctionTransformer(lambda frame: frame.apply(lambda dates: dates.dt.normalize())),
                FunctionTransformer(lambda frame: frame.apply(lambda dates: (dates - NEW_YEAR).dt.days)),
                DecisionTreeRegressor(max_depth=6),
            ),
            table("start"),
        ),
        "arguments": of(
            make_pipeline(FunctionTransformer(since, kw_args={"day": "2010-10-10"}), DecisionTreeRegressor(max_depth=6)),
            table("start"),
        ),
    },
    "feature-engine-dates": {
        "features": after(DatetimeFeatures(drop_original=True), "start", "beds"),
        "all-features": after(DatetimeFeatures(**ALL), "start", "end"),
        "missing": after(
            DatetimeFeatures(
                features_to_extract=["month", "hour", "weekend", "semester", "year_end"],
                missing_values="ignore",
                drop_original=True,
            ),
            "start",
            "beds",
            missing=True,
        ),
        "ordinal": after(DatetimeOrdinal(drop_original=True), "start", "end"),
        "ordinal-start": after(DatetimeOrdinal(start_date="2015-05-05", drop_original=True), "start", "beds"),
        **{
            f"subtraction-{unit}": after(
                DatetimeSubtraction(variables="end", reference="start", output_unit=unit, drop_original=True),
                "start",
                "end",
                "beds",
            )
            for unit in ("D", "h", "s", "us")
        },
        "subtraction-missing": after(
            DatetimeSubtraction(variables="end", reference="start", drop_original=True), "start", "end", "beds", missing=True
        ),
    },
}
