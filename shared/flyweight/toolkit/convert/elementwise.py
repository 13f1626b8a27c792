"""Convert transformers of each number by itself: known functions, powers, thresholds, flags of missing values."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from flyweight.ops.elementwise import FUNCTIONS
from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.dates import of_function
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value, is_missing
from flyweight.toolkit.packing.custom_steps import kinds_of


def function_of(function: Any) -> str | None:
    """Return the engine's name of a function of NumPy or SciPy; None for any other code."""
    from scipy.special import expit  # type: ignore[import-untyped]

    known = {name: expit if name == "expit" else getattr(np, name) for name in FUNCTIONS}
    return next((name for name, candidate in known.items() if function is candidate), None)


def is_known(name: str) -> bool:
    """Tell by its name, as `module.name`, whether a function has an op or is a step of the user's own."""
    package, function = name.partition(".")[0], name.rpartition(".")[2]
    return (package in ("numpy", "scipy") and function in FUNCTIONS) or kinds_of(function) is not None


def applied(function: Any, x: Value, draft: Draft) -> Value:
    """Add the function of every column.

    :raises ConversionRefused: the engine does not have the function.
    """
    name = function_of(function)
    if name is None:
        helps = "a function is code, and a model file holds no code; make it a step of your own (docs/your-own-step.md)"
        known = ", ".join("scipy.special.expit" if name == "expit" else f"np.{name}" for name in FUNCTIONS)
        word = f"FunctionTransformer({getattr(function, '__name__', '...')})"
        raise ConversionRefused(draft.path, word, f"{helps}; these are known by name: {known}")
    return draft.add("elementwise.apply", x, columns=len(x.columns), function=name, takes="any", names=x.names)


def own_step(step: str, kinds: str, x: Value, draft: Draft) -> Value:
    """Add a step of the deployment's own; datetimes reach its function as `datetime.datetime`.

    :param kinds: the kinds of its columns, as the table of steps has them.
    """
    dates = draft.dates_of(x)
    if not dates:
        return draft.add("own.step", x, columns=len(kinds), step=step)
    dtypes = [draft.dtypes.get(x.columns[position].source) for position in dates]  # type: ignore[arg-type]
    zones = ["none" if getattr(dtype, "tz", None) is None else "UTC" for dtype in dtypes]
    return draft.add("own.dated_step", x, columns=len(kinds), step=step, dates=dates, zones=zones)


@converts("sklearn.FunctionTransformer")
def function(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a known function or a step of the deployment's own; no function means a passthrough.

    :raises ConversionRefused: the function is neither, or has keyword arguments.
    """
    if estimator.func is None or (estimator.func is np.float64 and not draft.dates_of(x)):
        return {"transform": x}
    dates = draft.dates_of(x)
    if estimator.kw_args and not dates:
        helps = f"kw_args={estimator.kw_args!r} change what the function does; fit it without them"
        raise ConversionRefused(draft.path, "FunctionTransformer", helps)
    step = getattr(estimator.func, "__name__", "")
    kinds = None if function_of(estimator.func) else kinds_of(step)
    if kinds is not None:
        return {"transform": own_step(step, kinds, x, draft)}
    if dates:
        names = list(getattr(estimator, "feature_names_in_", x.names))
        function = partial(estimator.func, **estimator.kw_args) if estimator.kw_args else estimator.func
        return {"transform": of_function(function, names, x, draft)}
    return {"transform": applied(estimator.func, x, draft)}


@converts("sklearn.Binarizer")
def binarizer(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to 1.0 above the threshold, else 0.0."""
    width = len(x.columns)
    arrays = {"edges": [np.nextafter(estimator.threshold, np.inf)] * width, "starts": range(width + 1)}
    for position in range(width):
        draft.note_edges(x, position, np.array([float(estimator.threshold)]))
    return {"transform": draft.add("bins.digitize", x, columns=width, arrays=arrays)}


@converts("sklearn.MissingIndicator")
def missing_indicator(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to 1.0 where a value is missing, else 0.0, of the features that `features_` lists.

    :raises ConversionRefused: it takes another value than NaN for missing, or lists no feature.
    """
    if not is_missing(estimator.missing_values) or estimator.missing_values is None:
        helps = f"missing_values={estimator.missing_values!r}; only NaN has a conversion"
        raise ConversionRefused(draft.path, "MissingIndicator", helps)
    positions = [int(position) for position in estimator.features_]
    if not positions:
        helps = "no feature missed a value when it was fitted, so that it answers with nothing; use features='all'"
        raise ConversionRefused(draft.path, "MissingIndicator", helps)
    return {"transform": flags(x, positions, draft)}


def flags(x: Value, positions: list[int], draft: Draft) -> Value:
    """Add 1.0 where the number at one of `positions` is missing, else 0.0."""
    parameters: dict[str, Any] = {"nulls": [True] * len(positions), "missing": [None]}
    return draft.add("impute.flag", x, columns=len(positions), positions=positions, **parameters)


@converts("sklearn.PowerTransformer")
def power(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to Box-Cox or Yeo-Johnson, then standardized if it was fitted so."""
    width = len(x.columns)
    scaler = estimator._scaler if estimator.standardize else None
    arrays = {
        "lambdas": np.asarray(estimator.lambdas_, dtype=float),
        "mean": np.zeros(width) if scaler is None else scaler.mean_,
        "scale": np.ones(width) if scaler is None else scaler.scale_,
    }
    op = "elementwise.box_cox" if estimator.method == "box-cox" else "elementwise.yeo_johnson"
    return {"transform": draft.add(op, x, columns=width, names=x.names, arrays=arrays)}
