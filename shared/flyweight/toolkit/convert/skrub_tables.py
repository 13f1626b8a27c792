"""Convert skrub's transformers of tables: a pipeline of transformers, each over single columns or some of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts, transform
from flyweight.toolkit.convert.columns import pipeline
from flyweight.toolkit.convert.dates import SECOND, parts, quotient
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.frames import Frame

NAN = float("nan")
SINGLE = (
    "skrub gives numbers of single precision, and the next step computes in it; put FunctionTransformer(numpy.float64) between "
    "them and fit again, or read them by trees"
)


@converts("skrub.TableVectorizer", "skrub.Cleaner")
def vectorizer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the pipeline that it was fitted as."""
    draft.hints.append(SINGLE)
    return pipeline(estimator._pipeline, x, draft)


@converts("skrub.CheckInputDataFrame", "skrub.PassThrough", "skrub.ToCategorical", "skrub.CleanCategories")
def unchanged(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the same columns: it checks them, or changes how pandas holds strings."""
    return {"transform": x}


@converts("skrub.ToStr")
def strings(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the strings; what is missing among them is NaN."""
    return {"transform": Value(x.name, _with_nan(x), x.sparse)}


def _with_nan(x: Value) -> tuple[Column, ...]:
    """Return the columns, with NaN where the caller sends null."""
    return tuple(replace(column, marker=NAN) for column in x.columns)


@converts("skrub.ApplyToCols")
def applied(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the transformer that it became when it was fitted, by columns or of several together."""
    return transform_of(estimator._wrapped_transformer, x, draft)


def transform_of(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert a transformer that is a step of its own inside another."""
    return {"transform": transform(estimator, x, draft)}


@converts("skrub.ApplyToEachCol")
def each(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each column through its own transformer, in place of the column."""
    frame, made = Frame(estimator, x, draft), []
    for name in frame.names:
        transformer = estimator.transformers_.get(name)
        if transformer is None or estimator.keep_original:
            made.append(frame.of([name]))
        if transformer is not None and estimator.input_to_outputs_[name]:
            with draft.step(str(name)):
                made.append(draft.spread(transform(transformer, frame.of([name]), draft)))
    return {"transform": draft.join(made)}


@converts("skrub.ApplyToSubFrame")
def together(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the transformer over its columns, behind the others."""
    frame = Frame(estimator, x, draft)
    if not estimator._columns:
        return {"transform": x}
    with draft.step("transformer"):
        answer = draft.spread(transform(estimator.transformer_, frame.of(estimator._columns), draft))
    kept = frame.names if estimator.keep_original else [name for name in frame.names if name not in estimator._columns]
    return {"transform": draft.join([*([frame.of(kept)] if kept else []), answer])}


@converts("skrub.SelectCols", "skrub.DropCols", "skrub.DropSimilar")
def chosen(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the columns that were chosen, in their order."""
    frame = Frame(estimator, x, draft, getattr(estimator, "feature_names_in_", x.names))
    kept = next(getattr(estimator, key) for key in ("columns_", "kept_cols_", "all_outputs_") if hasattr(estimator, key))
    return {"transform": frame.of(list(kept))}


@converts("skrub.DropUninformative")
def informative(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the column; one that was dropped has no output, and is not asked for."""
    return {"transform": x}


@converts("skrub.CleanNullStrings")
def nulls(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the strings without those that mean nothing."""
    return {"transform": draft.add("strings.clear", x, columns=_with_nan(x), words=[*dict.fromkeys(estimator.null_strings_)])}


@converts("skrub.ToFloat")
def floats(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the numbers in single precision.

    :raises ConversionRefused: it reads texts as numbers.
    """
    _expect_no_text(estimator, x, draft, "number")
    return {"transform": draft.add("float32.rounded", x, columns=x.columns, missing=[])}


@converts("skrub.ToDatetime")
def datetimes(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the datetimes themselves.

    :raises ConversionRefused: it reads texts as datetimes.
    """
    if estimator.format_ is not None:
        _refuse_text(estimator, x, draft, "datetime")
    return {"transform": x}


def _expect_no_text(estimator: Any, x: Value, draft: Draft, kind: str) -> None:
    if "string" in (draft.kind_of(x, position) for position in range(len(x.columns))):
        _refuse_text(estimator, x, draft, kind)


def _refuse_text(estimator: Any, x: Value, draft: Draft, kind: str) -> None:
    """Refuse to read texts.

    :raises ConversionRefused: always.
    """
    helps = f"it reads the texts of column {x.names[0]!r} as {kind}s; read them as such before, in training and in the sample, "
    raise ConversionRefused(draft.path, class_name(estimator), f"{helps}so that the model's feature is a {kind}")


# skrub's name -> the part, what is added to it, and its values if it may be encoded as a period
FEATURES: dict[str, tuple[str, float, range]] = {
    "year": ("year", 0.0, range(0)),
    "month": ("month", 0.0, range(1, 13)),
    "day": ("day", 0.0, range(1, 32)),
    "hour": ("hour", 0.0, range(24)),
    "minute": ("minute", 0.0, range(0)),
    "second": ("second", 0.0, range(0)),
    "microsecond": ("microsecond", 0.0, range(0)),
    "weekday": ("weekday", 1.0, range(1, 8)),
    "day_of_year": ("day_of_year", 0.0, range(0)),
}


@converts("skrub.DatetimeEncoder")
def datetime_encoder(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to parts of a datetime, in single precision, then the sines and cosines or splines of parts that come round.

    :raises ConversionRefused: it reads nanoseconds.
    """
    plain, periods = [], []
    for feature in estimator.extracted_features_:
        label = f"{x.names[0]}_{feature}"
        if feature == "total_seconds":
            value = quotient(x, 1.0, SECOND, draft)
        elif feature in FEATURES:
            part, add, values = FEATURES[feature]
            value = parts(x, [(0, part, NAN)], draft)
            value = draft.stretch(value, 1.0, add) if add else value
        else:
            helps = "a datetime of a model file has microseconds; use resolution='microsecond' or a coarser one"
            raise ConversionRefused(draft.path, class_name(estimator), helps)
        if feature in estimator._periodic_encoders:
            periods.append(_tabled(estimator._periodic_encoders[feature], value, values, draft))
        else:
            plain.append(draft.add("float32.rounded", value, columns=[Column(label)], missing=[]))
    return {"transform": draft.join([*plain, *periods])}


def _tabled(encoder: Any, x: Value, values: range, draft: Draft) -> Value:
    """Add what an encoder gives for each of some whole numbers, looked up in tables."""
    import pandas as pd

    table = np.asarray(encoder.transform(pd.Series(np.array(values, dtype=float))), dtype=float)
    ends: dict[str, Any] = {"unseen": ["nan"], "missing": ["nan"], "names": x.names}
    keys = [[float(value) for value in values]]
    return draft.join(
        [draft.add("encode.ordinal", x, columns=1, categories=keys, codes=[column.tolist()], **ends) for column in table.T]
    )


@converts("skrub.SquashingScaler")
def squashed(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `z / sqrt(1 + (z / limit)^2)`, where z is scaled by quantiles, by the range, or zero."""
    width = len(x.columns)
    subtract, multiply, divide = np.zeros(width), np.ones(width), np.ones(width)
    robust, ranged, zero = (np.asarray(getattr(estimator, f"{word}_cols_")) for word in ("robust", "minmax", "zero"))
    if robust.any():
        subtract[robust], divide[robust] = estimator.robust_scaler_.center_, estimator.robust_scaler_.scale_
    if ranged.any():
        subtract[ranged], multiply[ranged] = estimator.minmax_scaler_.median_, estimator.minmax_scaler_.scale_
    multiply[zero] = 0.0
    z = draft.add("scale.center", x, columns=width, arrays={"subtract": subtract, "divide": divide})
    z = draft.stretch(z, multiply)
    share = draft.add("scale.center", z, columns=width, arrays={"divide": [float(estimator.max_absolute_value)] * width})

    def of_each(function: str, value: Value) -> Value:
        return draft.add("elementwise.apply", value, columns=width, function=function, takes="any", names=x.names)

    root = of_each("sqrt", draft.stretch(of_each("square", share), 1.0, 1.0))
    both = draft.join([z, root])
    places: dict[str, Any] = {"first": [*range(width)], "second": [*range(width, 2 * width)], "names": both.names}
    return {"transform": draft.add("pairs.apply", both, columns=width, function="divide", zero="any", **places)}


@converts(
    "skrub.StringEncoder",
    "skrub.GapEncoder",
    "skrub.MinHashEncoder",
    "skrub.SimilarityEncoder",
    "skrub.TextEncoder",
    "skrub.LLMEncoder",
)
def texts(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse: the numbers that it makes of a text can't be followed.

    :raises ConversionRefused: always.
    """
    helps = "it makes numbers of texts that no op follows to the last bit; encode the column by categories (OneHotEncoder, "
    helps += (
        "TargetEncoder) or by scikit-learn's TfidfVectorizer, or pack for the engine that runs the estimator: --engine sklearn"
    )
    raise ConversionRefused(draft.path, class_name(estimator), helps)


@converts(
    "skrub.AggJoiner",
    "skrub.AggTarget",
    "skrub.MultiAggJoiner",
    "skrub.Joiner",
    "skrub.InterpolationJoiner",
    "skrub.SessionEncoder",
)
def joined(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Refuse: it reads another table, or other rows.

    :raises ConversionRefused: always.
    """
    helps = "it reads another table or other rows, which a request does not have; join them before, and send the columns"
    raise ConversionRefused(draft.path, class_name(estimator), helps)


@converts("skrub.CatEncoder")
def categories(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the codes of its one-hot encoder, then those of its target encoder."""
    return {
        "transform": draft.join(
            [draft.spread(transform(part, x, draft)) for part in (estimator.one_hot_encoder_, estimator.target_encoder_)]
        )
    }
