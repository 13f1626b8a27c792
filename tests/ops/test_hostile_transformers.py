"""Plans of elementwise, interpolating and ensemble ops that could go wrong are refused; numbers of any size are answered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from tests.ops.hostile import Arrays, changed, f64, i32, predictor

Plan = tuple[dict[str, Any], Arrays]
BOTH = {"names": ["a", "b"]}
POWER = {"lambdas": f64(0.5, 2), "mean": f64(0, 0), "scale": f64(1, 1)}
KNOTS = {"xs": f64(0, 1, 5), "ys": f64(2, 3, 4), "starts": i32(0, 2, 3)}
RANKS = {"quantiles": np.array([[0.0, 1, 1], [0, 2, 4]]), "references": f64(0, 0.5, 1), "limits": f64(-5, 5)}

# op -> its width, how many times it reads the input, its parameters and its arrays, all valid
VALID: dict[str, tuple[int, int, dict[str, Any], Arrays]] = {
    "ensemble.mean": (2, 2, {"exact": True}, {"weights": f64(1, 2), "divide": f64(3)}),
    "ensemble.vote": (3, 1, {"classes": 3}, {"for": f64(1, 2), "against": f64(-1, 0)}),
    "ensemble.median": (1, 1, {}, {"weights": f64(1, 2)}),
    "ensemble.scatter": (4, 1, {"width": 4, "positions": [3, 0]}, {}),
    "ensemble.shares": (2, 1, {"uniform": True}, {}),
    "ensemble.nearest": (1, 1, {}, {"codes": np.eye(2)}),
    "elementwise.apply": (2, 1, {"function": "exp", "takes": "any", **BOTH}, {}),
    "elementwise.box_cox": (2, 1, BOTH, POWER),
    "elementwise.yeo_johnson": (2, 1, BOTH, POWER),
    "interpolate.knots": (2, 1, {"outside": "clip", **BOTH}, KNOTS),
    "quantiles.rank": (2, 1, {}, RANKS),
}


def build(op: str, **changes: Any) -> Any:
    """Load the valid node of an op with changes to its parameters or arrays; `inputs` and `outputs` may be changed as well."""
    width, times, parameters, arrays = VALID[op]
    inputs = changes.pop("inputs", ["input"] * times)
    width = changes.pop("outputs", width)
    arrays = changed(arrays, **{key: value for key, value in changes.items() if key in arrays or hasattr(value, "dtype")})
    parameters = {**parameters, **{key: value for key, value in changes.items() if key not in arrays}}
    node = {"op": op, "inputs": inputs, "output": "y", **parameters, "arrays": {key: key for key in arrays}}
    return predictor([node], "y", arrays, signature=signature(width))


def signature(outputs: int) -> dict[str, Any]:
    features = [{"name": name, "kind": "number", "nullable": True} for name in "ab"]
    return {"task": "regression", "features": features, "outputs": outputs}


HUGE = [0.0, -0.0, 1.0, -1.0, 1e-320, 1e308, -1e308, math.nan, 5.0, 1e20]


@pytest.mark.parametrize("op", VALID)
def test_a_valid_node_answers_any_numbers(op: str) -> None:
    model = build(op)
    for a in HUGE:
        for b in HUGE:
            try:
                model.answer([[a, b]])
            except InvalidInput:
                assert op == "elementwise.box_cox"


@pytest.mark.parametrize(
    "name", ["log", "log1p", "tanh", "sin", "cos", "floor", "ceil", "sqrt", "expm1", "sign", "expit", "log10"]
)
def test_a_function_answers_any_numbers(name: str) -> None:
    model = build("elementwise.apply", function=name)
    for a in HUGE:
        model.answer([[a, math.inf], [-math.inf, a]])


DAMAGED: dict[str, tuple[str, dict[str, Any]]] = {
    "mean of other widths": ("ensemble.mean", {"weights": f64(1, 2, 3)}),
    "mean over zero": ("ensemble.mean", {"divide": f64(0)}),
    "mean over nothing": ("ensemble.mean", {"divide": None}),
    "mean exact by half": ("ensemble.mean", {"exact": 0.5}),
    "vote among no class": ("ensemble.vote", {"classes": 0}),
    "vote among too many": ("ensemble.vote", {"classes": 10**9}),
    "vote with too few weights": ("ensemble.vote", {"for": f64(1)}),
    "vote against with too many": ("ensemble.vote", {"against": f64(1, 2, 3)}),
    "median with too few weights": ("ensemble.median", {"weights": f64(1)}),
    "scatter beyond the width": ("ensemble.scatter", {"positions": [4, 0]}),
    "scatter below zero": ("ensemble.scatter", {"positions": [-1, 0]}),
    "scatter twice to one place": ("ensemble.scatter", {"positions": [1, 1]}),
    "scatter of too few": ("ensemble.scatter", {"positions": [1]}),
    "scatter wider than memory": ("ensemble.scatter", {"width": 10**9}),
    "shares uniform by name": ("ensemble.shares", {"uniform": "yes"}),
    "codes of another width": ("ensemble.nearest", {"codes": np.eye(3)}),
    "no code": ("ensemble.nearest", {"codes": np.zeros((0, 2))}),
    "a function that is not there": ("elementwise.apply", {"function": "system"}),
    "a function that is a list": ("elementwise.apply", {"function": []}),
    "takes what it likes": ("elementwise.apply", {"takes": "all"}),
    "too few names": ("elementwise.apply", {"names": ["a"]}),
    "a scale of zero": ("elementwise.box_cox", {"scale": f64(1, 0)}),
    "too few powers": ("elementwise.yeo_johnson", {"lambdas": f64(1)}),
    "knots that go down": ("interpolate.knots", {"xs": f64(1, 0, 5)}),
    "knots that stand still": ("interpolate.knots", {"xs": f64(1, 1, 5)}),
    "knots without values": ("interpolate.knots", {"ys": f64(1, 2)}),
    "a column without knots": ("interpolate.knots", {"starts": i32(0, 0, 3)}),
    "knots that overlap": ("interpolate.knots", {"starts": i32(0, 3, 2)}),
    "knots beyond the array": ("interpolate.knots", {"starts": i32(0, 2, 9)}),
    "outside unknown": ("interpolate.knots", {"outside": "extrapolate"}),
    "quantiles that go down": ("quantiles.rank", {"quantiles": np.array([[0.0, 1, 0], [0, 2, 4]])}),
    "references that go down": ("quantiles.rank", {"references": f64(0, 0.5, 0.4)}),
    "quantiles of another width": ("quantiles.rank", {"quantiles": np.zeros((3, 3))}),
    "no quantiles": ("quantiles.rank", {"quantiles": np.zeros((2, 0)), "references": f64()}),
    "one limit": ("quantiles.rank", {"limits": f64(1)}),
    "a NaN among the quantiles": ("quantiles.rank", {"quantiles": np.array([[0.0, math.nan, 1], [0, 2, 4]])}),
    "a NaN among the knots": ("interpolate.knots", {"xs": f64(0, math.nan, 5)}),
}


@pytest.mark.parametrize(("op", "changes"), DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_node_is_refused(op: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelRefused):
        build(op, **changes)


def test_inputs_of_other_widths_have_no_mean() -> None:
    take = {"op": "columns.take", "inputs": ["input"], "output": "one", "positions": [0]}
    mean = {"op": "ensemble.mean", "inputs": ["one", "input"], "output": "y", "exact": True, "arrays": {"divide": "divide"}}
    with pytest.raises(ModelRefused, match="differ in width"):
        predictor([take, mean], "y", {"divide": f64(2)}, signature=signature(1))


@pytest.mark.parametrize("classes", [0, 1, 4, 10**6])
def test_pairs_that_do_not_fit_the_classes_are_refused(classes: int) -> None:
    node = {"op": "ensemble.one_vs_one", "inputs": ["input", "input"], "output": "y", "classes": classes}
    with pytest.raises(ModelRefused):
        predictor([node], "y", signature=signature(2))


def test_a_position_without_a_code_is_nan() -> None:
    take = {"op": "columns.take", "inputs": ["input"], "output": "one", "positions": [0]}
    recode = {"op": "ensemble.recode", "inputs": ["one"], "output": "y", "arrays": {"codes": "codes"}}
    model = predictor([take, recode], "y", {"codes": f64(7, 9)}, signature=signature(1))
    answers = model.answer([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [math.nan, 0.0]]).predictions
    assert answers[0] == 9.0 and all(math.isnan(answer) for answer in answers[1:])
