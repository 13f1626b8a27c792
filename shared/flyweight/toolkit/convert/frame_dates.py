"""Convert feature_engine's transformers of datetimes."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.ops.dates import DAY, EPOCH
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.dates import floored, parts, quotient
from flyweight.toolkit.convert.draft import Column, Draft, Outputs, Value
from flyweight.toolkit.convert.frames import Frame

NAN = float("nan")
# feature_engine's name -> the part, and what pandas gives for a missing datetime
FEATURES = {
    "month": ("month", NAN),
    "quarter": ("quarter", NAN),
    "year": ("year", NAN),
    "week": ("week", NAN),
    "day_of_week": ("weekday", NAN),
    "day_of_month": ("day", NAN),
    "day_of_year": ("day_of_year", NAN),
    "month_start": ("is_month_start", 0.0),
    "month_end": ("is_month_end", 0.0),
    "quarter_start": ("is_quarter_start", 0.0),
    "quarter_end": ("is_quarter_end", 0.0),
    "year_start": ("is_year_start", 0.0),
    "year_end": ("is_year_end", 0.0),
    "leap_year": ("is_leap_year", 0.0),
    "days_in_month": ("days_in_month", NAN),
    "hour": ("hour", NAN),
    "minute": ("minute", NAN),
    "second": ("second", NAN),
}
# feature_engine's name -> the part, the number from which on it counts one more, and the count below; missing counts as above
STEPS = {"semester": ("month", 7.0, 1.0), "weekend": ("weekday", 5.0, 0.0)}


def _expect_dates(frame: Frame, names: list[Any]) -> None:
    """Check that columns hold datetimes.

    :raises ConversionRefused: a column holds texts, which the estimator reads as datetimes.
    """
    for name in names:
        if frame.kind_of(name) != "datetime":
            helps = f"column {name!r} is not a datetime here: read it as one before (pandas.to_datetime), in training and "
            frame.refuse(helps + "in the sample, so that the model's feature is a datetime")


@converts("feature_engine.DatetimeFeatures")
def features(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to parts of each datetime, behind all columns.

    :raises ConversionRefused: it reads the index, or texts.
    """
    frame = Frame(estimator, x, draft)
    if isinstance(estimator.variables, str) and estimator.variables == "index":
        frame.refuse("it reads the table's index, which a row of a request does not have; make the index a column")
    _expect_dates(frame, estimator.variables_)
    for name in estimator.variables_:
        value = frame.of([name])
        for feature in estimator.features_to_extract_:
            label = f"{name}_{feature}"
            if feature in FEATURES:
                part, missing = FEATURES[feature]
                frame.put([label], parts(value, [(0, part, missing)], draft))
                continue
            part, edge, below = STEPS[feature]
            arrays = {"edges": [edge], "starts": [0, 1]}
            step = draft.add("bins.digitize", parts(value, [(0, part, NAN)], draft), columns=1, arrays=arrays)
            frame.put([label], draft.stretch(step, 1.0, below))
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()


@converts("feature_engine.DatetimeSubtraction")
def subtraction(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the time between each variable and each reference, behind all columns.

    :raises ConversionRefused: it reads texts.
    """
    frame = Frame(estimator, x, draft)
    read = [*dict.fromkeys([*estimator.variables_, *estimator.reference_])]
    _expect_dates(frame, read)
    value = frame.of(read)
    pairs = [(name, other) for other in estimator.reference_ for name in estimator.variables_]
    places: dict[str, Any] = {
        "first": [read.index(name) for name, _ in pairs],
        "second": [read.index(other) for _, other in pairs],
    }
    apart = draft.add("pairs.apply", value, columns=len(pairs), function="subtract", zero="any", names=value.names, **places)
    nanoseconds = float(np.timedelta64(1, estimator.output_unit).astype("timedelta64[ns]").astype(int))
    frame.put(estimator._get_new_features_name(), quotient(apart, 1000.0, nanoseconds, draft))
    if estimator.drop_original:
        frame.drop(read)
    return frame.outputs()


@converts("feature_engine.DatetimeOrdinal")
def ordinal(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the number of each datetime's day, behind all columns.

    :raises ConversionRefused: it reads texts.
    """
    frame = Frame(estimator, x, draft)
    _expect_dates(frame, estimator.variables_)
    value = frame.of(estimator.variables_)
    days = quotient(floored(value, DAY, draft), 1.0, DAY, draft)
    start = estimator.start_date_ordinal_
    counted = draft.stretch(days, 1.0, float(EPOCH if start is None else EPOCH - start + 1))
    labels = [f"{name}_ordinal" for name in estimator.variables_]
    frame.put(labels, Value(counted.name, tuple(Column(label) for label in labels)))
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()
