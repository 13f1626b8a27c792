"""Convert feature_engine's transformers of numbers: discretisers, cappers, functions, scaling."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts, transform
from flyweight.toolkit.convert.draft import Column, Draft, Outputs, Value, is_missing
from flyweight.toolkit.convert.frames import Frame
from flyweight.toolkit.convert.members import member


@converts(
    "feature_engine.EqualFrequencyDiscretiser",
    "feature_engine.EqualWidthDiscretiser",
    "feature_engine.GeometricWidthDiscretiser",
    "feature_engine.ArbitraryDiscretiser",
)
def discretiser(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the interval of each number, counted or named."""
    frame = Frame(estimator, x, draft)
    outside = "refuse" if getattr(estimator, "errors", "ignore") == "raise" else "nan"
    for name in estimator.variables_:
        _cut(frame, name, estimator.binner_dict_[name], outside, estimator.precision if estimator.return_boundaries else None)
    return frame.outputs()


@converts("feature_engine.DecisionTreeDiscretiser")
def tree_discretiser(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the answer of each column's tree, or to the interval between its thresholds."""
    frame = Frame(estimator, x, draft)
    for name in estimator.variables_:
        learned = estimator.binner_dict_[name]
        if estimator.bin_output == "prediction":
            value = frame.checked([name])
            frame.put([name], _answer(learned, value, str(name), estimator.precision, bool(estimator.regression), draft))
        else:
            _cut(frame, name, learned, "nan", estimator.precision if estimator.bin_output == "boundaries" else None)
    return frame.outputs()


@converts("feature_engine.DecisionTreeFeatures")
def tree_features(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the answer of each tree, behind the columns that it reads."""
    frame = Frame(estimator, x, draft)
    shares = not estimator.regression and estimator._is_binary == "binary"
    for features, tree in zip(estimator.input_features_, estimator.estimators_, strict=True):
        value = frame.checked([features] if isinstance(features, (str, int)) else features)
        name = f"tree({features})"
        if estimator.regression or shares:
            frame.put([name], _answer(tree, value, name, estimator.precision, not shares, draft))
        else:
            outputs = member(tree, value, draft, name, "index")
            classes = np.asarray(tree.classes_)
            if classes.dtype.kind not in "iufb":
                frame.refuse("its trees answer with labels that are no numbers; encode the target as numbers")
            frame.put([name], draft.add("ensemble.recode", outputs["index"], columns=1, arrays={"codes": classes.astype(float)}))
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()


def _answer(tree: Any, value: Value, name: str, precision: int | None, regression: bool, draft: Draft) -> Value:
    """Add a tree's value, or its probability of the second class, rounded to some decimals if `precision` is not None."""
    outputs = member(tree, value, draft, name, "values" if regression else "probabilities")
    answer = outputs["values"] if regression else draft.take(outputs["probabilities"], [1])
    if precision is None:
        return answer
    scale = 10.0**precision
    whole = draft.add("elementwise.apply", draft.stretch(answer, scale), columns=1, function="rint", takes="any", names=[name])
    return draft.add("scale.center", whole, columns=1, arrays={"divide": [scale]})


def _cut(frame: Frame, name: Any, edges: Any, outside: str, precision: int | None) -> None:
    """Put the interval of a column's numbers among `edges` in its place (`pandas.cut`, which closes them on the right).

    :param outside: what a number outside all intervals gives: "nan" or "refuse".
    :param precision: the digits in the names of the intervals; None counts them from 0.
    """
    import pandas as pd

    draft, edges = frame.draft, np.asarray(edges, dtype=float)
    value = frame.checked([name])
    draft.note_edges(value, 0, edges)
    # the lowest edge belongs to the first interval; a number on any other edge to the interval below it
    starts = np.nextafter(edges, np.inf)
    starts[0] = edges[0]
    starts = starts[np.isfinite(starts)] if np.isinf(edges[-1]) else starts
    first = 0 if np.isinf(edges[0]) else 1  # how many of the numbers below are of no interval
    arrays = {"edges": starts[np.isfinite(starts)], "starts": [0, int(np.isfinite(starts).sum())]}
    code = draft.add("bins.digitize", value, columns=[Column(f"interval of {name}")], arrays=arrays)
    count = len(edges) - 1
    if first or not np.isinf(edges[-1]):
        inside = [[place + first for place in range(count)]]
        codes: dict[str, Any] = {"codes": [[*range(count)]], "unseen": [outside], "missing": ["nan"], "names": code.names}
        code = draft.add("encode.ordinal", code, columns=code.columns, categories=inside, **codes)
    if precision is not None:
        intervals = pd.cut(pd.Series(edges[1:]), edges, precision=precision, include_lowest=True).astype(str).tolist()
        code = draft.add("strings.name", code, columns=code.columns, words=[intervals], missing=["nan"])
    frame.put([name], code)


@converts("feature_engine.Winsorizer", "feature_engine.ArbitraryOutlierCapper")
def capper(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the numbers kept within their caps, and flags of those that were outside, if it adds them."""
    frame = Frame(estimator, x, draft)
    left, right = estimator.left_tail_caps_, estimator.right_tail_caps_
    names = [name for name in frame.names if name in left or name in right]
    if names:
        value = frame.checked(names) if estimator.missing_values == "raise" else frame.of(names)
        low = np.array([float(left.get(name, -np.inf)) for name in names])
        high = np.array([float(right.get(name, np.inf)) for name in names])
        for position in range(len(names)):
            draft.note_edges(value, position, np.array([low[position], high[position]]))
        frame.put(names, draft.add("scale.clip", value, columns=len(names), arrays={"low": low, "high": high}))
        if getattr(estimator, "add_indicators", False):
            _flag_tails(frame, estimator, value, names, low, high)
    return frame.outputs()


def _flag_tails(frame: Frame, estimator: Any, value: Value, names: list[Any], low: Any, high: Any) -> None:
    """Add one flag for each column and tail: whether the number is below the low cap, or above the high one."""
    draft, width = frame.draft, len(names)
    tails = {"left": ["left"], "right": ["right"]}.get(estimator.tail, ["left", "right"])
    flags = {}
    for tail, cap in (("left", low), ("right", high)):
        # of -v and -cap for the right tail: a missing number counts as above every edge, and is in no tail
        sign = 1.0 if tail == "left" else -1.0
        arrays = {"edges": sign * cap, "starts": range(width + 1)}
        flags[tail] = draft.stretch(
            draft.add("bins.digitize", draft.stretch(value, sign), columns=width, arrays=arrays), -1.0, 1.0
        )
    order = [(name, tail) for name in estimator.variables_ for tail in tails]
    for name, tail in order:
        frame.put([f"{name}_{tail}"], draft.take(flags[tail], [names.index(name)]))


@converts("feature_engine.MeanNormalizationScaler")
def normalization(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `(x - mean_) / range_`."""
    frame = Frame(estimator, x, draft)
    value = frame.checked(estimator.variables_)
    arrays = {"subtract": _of(estimator.mean_, estimator), "divide": _of(estimator.range_, estimator)}
    frame.put(estimator.variables_, draft.add("scale.center", value, columns=len(value.columns), arrays=arrays))
    return frame.outputs()


@converts(
    "feature_engine.LogTransformer",
    "feature_engine.LogCpTransformer",
    "feature_engine.ReciprocalTransformer",
    "feature_engine.ArcsinTransformer",
    "feature_engine.ArcSinhTransformer",
    "feature_engine.PowerTransformer",
)
def function(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a known function of each column; a number for which it is not defined is refused, as by the estimator."""
    frame = Frame(estimator, x, draft)
    value, cls = frame.checked(estimator.variables_), type(estimator).__name__
    if cls == "PowerTransformer":
        arrays = {"exponent": [float(estimator.exp)]}
        frame.put(estimator.variables_, draft.add("elementwise.power", value, columns=len(value.columns), arrays=arrays))
        return frame.outputs()
    if cls == "LogCpTransformer":
        value = draft.stretch(value, 1.0, _of(estimator.C_, estimator))
    if cls == "ArcSinhTransformer":
        arrays = {"subtract": _of(estimator.loc, estimator), "divide": _of(estimator.scale, estimator)}
        value = draft.add("scale.center", value, columns=len(value.columns), arrays=arrays)
    words = {"ReciprocalTransformer": ["reciprocal"], "ArcsinTransformer": ["sqrt", "arcsin"], "ArcSinhTransformer": ["arcsinh"]}
    for word in words.get(cls, ["log" if getattr(estimator, "base", "e") == "e" else "log10"]):
        parameters: dict[str, Any] = {"function": word, "takes": "finite", "names": value.names}
        value = draft.add("elementwise.apply", value, columns=[Column(name) for name in value.names], **parameters)
    frame.put(estimator.variables_, value)
    return frame.outputs()


@converts("feature_engine.BoxCoxTransformer", "feature_engine.YeoJohnsonTransformer")
def power(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to Box-Cox or Yeo-Johnson of each column."""
    frame = Frame(estimator, x, draft)
    value = frame.checked(estimator.variables_)
    width = len(value.columns)
    arrays = {"lambdas": _of(estimator.lambda_dict_, estimator), "mean": np.zeros(width), "scale": np.ones(width)}
    op = "elementwise.box_cox" if type(estimator).__name__ == "BoxCoxTransformer" else "elementwise.yeo_johnson"
    frame.put(estimator.variables_, draft.add(op, value, columns=width, names=value.names, arrays=arrays))
    return frame.outputs()


def _of(learned: Any, estimator: Any) -> Any:
    """Return one number a variable of what was learned: a dictionary or a Series by name, or one number for all."""
    names = estimator.variables_
    if hasattr(learned, "keys"):
        return np.array([float(learned[name]) for name in names])
    return np.broadcast_to(np.asarray(learned, dtype=float), (len(names),))


@converts("feature_engine.CyclicalFeatures")
def cyclical(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the sine and cosine of each column, behind all columns."""
    frame = Frame(estimator, x, draft)
    for name in estimator.variables_:
        angle = draft.stretch(frame.checked([name]), 2.0 * np.pi / estimator.max_values_[name])
        for word in ("sin", "cos"):
            frame.add("elementwise.apply", angle, [f"{name}_{word}"], function=word, takes="finite", names=[str(name)])
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()


@converts("feature_engine.MathFeatures")
def math_features(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to sums, means and the like of the variables, behind all columns.

    :raises ConversionRefused: a function is not one of those that ops have.
    """
    from flyweight.ops.aggregates import FUNCTIONS

    frame = Frame(estimator, x, draft)
    functions = estimator.func if isinstance(estimator.func, list) else [estimator.func]
    words = [word if isinstance(word, str) else getattr(word, "__name__", "?") for word in functions]
    if not {*words} <= {*FUNCTIONS} or any(
        getattr(w, "__module__", "numpy") != "numpy" for w in functions if not isinstance(w, str)
    ):
        frame.refuse(f"func={estimator.func!r}; these are known: {', '.join(FUNCTIONS)}")
    read = frame.checked(estimator.variables) if estimator.missing_values == "raise" else frame.of(estimator.variables)
    names = estimator._get_new_features_name()
    frame.add("aggregates.apply", read, names, functions=words, positions=[*range(len(estimator.variables))])
    if estimator.drop_original:
        frame.drop(estimator.variables)
    return frame.outputs()


PAIRS = {
    **{"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "truediv": "divide"},
    **{"floordiv": "floor_divide", "mod": "remainder", "pow": "power"},
}


@converts("feature_engine.RelativeFeatures")
def relative(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each variable with each reference, behind all columns."""
    frame = Frame(estimator, x, draft)
    read = [*dict.fromkeys([*estimator.variables, *estimator.reference])]
    value = frame.checked(read) if estimator.missing_values == "raise" else frame.of(read)
    for word in estimator.func:
        divides = word in ("div", "truediv", "floordiv", "mod")
        zero = "any" if not divides else "refuse" if is_missing(estimator.fill_value) else "fill"
        arrays = {"fill": [float(estimator.fill_value)]} if zero == "fill" else {}
        pairs = [(name, other) for other in estimator.reference for name in estimator.variables]
        places: dict[str, Any] = {
            "first": [read.index(name) for name, _ in pairs],
            "second": [read.index(other) for _, other in pairs],
        }
        parameters: dict[str, Any] = {"function": PAIRS[word], "zero": zero, "names": value.names, "arrays": arrays}
        frame.add("pairs.apply", value, [f"{name}_{word}_{other}" for name, other in pairs], **parameters, **places)
    if estimator.drop_original:
        frame.drop([*estimator.variables, *estimator.reference])
    return frame.outputs()


EARTH = {"km": 6371.0, "miles": 3958.8, "meters": 6371000.0, "feet": 20902231.0}
DEGREE = 111.0  # kilometers at the equator


@converts("feature_engine.GeoDistanceFeatures")
def distance(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the distance of two points, by angles on a globe or by differences of degrees, behind all columns."""
    frame = Frame(estimator, x, draft)
    at = frame.checked([estimator.lat1, estimator.lat2, estimator.lon1, estimator.lon2])
    radius = EARTH[estimator.output_unit]

    def each(function: str, value: Value) -> Value:
        columns = len(value.columns)
        return draft.add("elementwise.apply", value, columns=columns, function=function, takes="any", names=value.names)

    def pairs(function: str, value: Value, first: list[int], second: list[int]) -> Value:
        places: dict[str, Any] = {"first": first, "second": second, "zero": "any", "names": value.names}
        return draft.add("pairs.apply", value, columns=len(first), function=function, **places)

    if estimator.method == "haversine":
        radians = draft.stretch(at, np.pi / 180.0)
        halves = draft.stretch(pairs("subtract", radians, [1, 3], [0, 2]), 0.5)
        squares = each("square", each("sin", halves))
        factors = draft.join([squares, each("cos", draft.take(radians, [0, 1]))])
        terms = pairs("multiply", draft.join([factors, pairs("multiply", factors, [2], [3])]), [1], [4])
        share = pairs("add", draft.join([draft.take(squares, [0]), terms]), [0], [1])
        # an op that sums: parity then knows the size of the distance, by which the angle's rounding is multiplied
        answer = draft.affine(each("arcsin", each("sqrt", share)), [[2.0 * radius]])
    else:
        apart = pairs("subtract", at, [1, 3], [0, 2])
        if estimator.method == "euclidean":
            answer = each("sqrt", pairs("add", each("square", draft.stretch(apart, DEGREE)), [0], [1]))
        else:
            answer = draft.stretch(pairs("add", each("absolute", apart), [0], [1]), DEGREE)
        answer = draft.stretch(answer, radius / EARTH["km"])
    frame.put([estimator.output_col], answer)
    if estimator.drop_original:
        frame.drop(estimator.variables_)
    return frame.outputs()


@converts("feature_engine.SklearnTransformerWrapper")
def wrapper(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the transformer over its variables: new columns, columns left out, or columns changed in their places."""
    frame = Frame(estimator, x, draft)
    cls = type(estimator.transformer_).__name__
    if hasattr(estimator, "features_to_drop_"):
        frame.drop(estimator.features_to_drop_)
        return frame.outputs()
    with draft.step("transformer"):
        answer = transform(estimator.transformer_, frame.of(estimator.variables_), draft)
    if cls in ("OneHotEncoder", "PolynomialFeatures"):
        frame.drop(estimator.variables_)
        frame.put(list(estimator.transformer_.get_feature_names_out(estimator.variables_)), draft.spread(answer))
    else:
        frame.put(estimator.variables_, draft.spread(answer))
    return frame.outputs()
