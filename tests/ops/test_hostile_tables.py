"""Plans of ops over pairs, rows and strings that could go wrong are refused; any values are answered, alike in batches."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight import InvalidInput, ModelRefused
from flyweight.ops.aggregates import FUNCTIONS as AGGREGATES
from flyweight.ops.pairs import FUNCTIONS as PAIRS
from flyweight.ops.strings import MEASURES
from tests.ops.hostile import Arrays, damaged, document, f64, loaded, predictor

NAMES = ["a", "b"]
PAIR = {"function": "divide", "first": [0, 1], "second": [1, 1], "names": NAMES}
# op -> its parameters, its arrays and its width, all valid, over two numbers
NUMBERS: dict[str, tuple[dict[str, Any], Arrays, int]] = {
    "pairs.apply": ({**PAIR, "zero": "fill"}, {"fill": f64(-1)}, 2),
    "aggregates.apply": ({"positions": [1, 0], "functions": [*AGGREGATES]}, {}, len(AGGREGATES)),
    "scale.clip": ({}, {"low": f64(-1, -math.inf), "high": f64(1, 2)}, 2),
    "elementwise.power": ({}, {"exponent": f64(0.5)}, 2),
    "elementwise.accept": ({"takes": "nan", "names": NAMES}, {}, 2),
    "strings.name": ({"words": [["x", "y"], ["z"]], "missing": [None, "?"]}, {}, 2),
}
# op -> its parameters and its width, over one string
STRINGS: dict[str, tuple[dict[str, Any], int]] = {
    "strings.keep": ({"known": [["x", "NA"]], "other": ["rare"], "nulls": [True]}, 1),
    "strings.clear": ({"words": ["NA"]}, 1),
    "strings.measure": ({"measures": [*MEASURES], "ascii": True}, len(MEASURES)),
    "strings.similarity": ({"known": [["x", "", "yy"]], "missing": "empty"}, 3),
}
HUGE = [0.0, -0.0, 1.0, -1.0, 1e-320, 1e308, -1e308, math.nan, 5.0, 0.5, 1e20]
TEXTS = [None, "", "x", "X9 y. z!", "Ünïcode\u00a0Ⅷ\n", "\ud800", "a" * 3000]


def of_string(op: str, parameters: dict[str, Any], width: int) -> Any:
    signature = {"task": "transformation", "features": [{"name": "a", "kind": "string", "nullable": True}], "outputs": width}
    return predictor([{"op": op, "inputs": ["input"], "output": "y", **parameters}], "y", signature=signature)


@pytest.mark.parametrize("op", NUMBERS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_any_numbers_are_answered_and_batches_answer_alike(op: str) -> None:
    rule = loaded(op, *NUMBERS[op]).engine.plan.ops[0]
    table = np.array([[a, b] for a in HUGE for b in HUGE])
    rows = [rule.row([*row]) for row in table.tolist()]
    if hasattr(rule, "batch"):
        np.testing.assert_allclose(rule.batch(table), np.array(rows), rtol=1e-14)


@pytest.mark.parametrize("function", PAIRS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_function_of_pairs_is_numpys_and_a_zero_is_refused_where_the_plan_says_so(function: str) -> None:
    table = np.array([[a, b] for a in [*HUGE, math.inf, -math.inf] for b in [*HUGE, math.inf, -math.inf]])
    rule = loaded("pairs.apply", {**PAIR, "function": function, "zero": "any"}, {}, 2).engine.plan.ops[0]
    ours = np.array([rule.row(row) for row in table.tolist()])
    np.testing.assert_allclose(ours, rule.batch(table), rtol=1e-14)
    strict = loaded("pairs.apply", {**PAIR, "function": function, "zero": "refuse"}, {}, 2)
    with pytest.raises(InvalidInput, match="'b'"):
        strict.answer([[1.0, 0.0]])


@pytest.mark.parametrize("op", STRINGS)
def test_any_text_is_answered(op: str) -> None:
    rule = of_string(op, *STRINGS[op]).engine.plan.ops[0]
    for text in TEXTS:
        assert len(rule.row([text])) == STRINGS[op][1]


def test_words_that_are_not_known_are_replaced_and_missing_ones_stay() -> None:
    rule = of_string("strings.keep", *STRINGS["strings.keep"]).engine.plan.ops[0]
    assert [rule.row([text]) for text in ("x", "NA", "other", None)] == [["x"], ["NA"], ["rare"], [None]]


@pytest.mark.parametrize(
    ("op", "changes"),
    [
        ("pairs.apply", {"function": "divmod"}),
        ("pairs.apply", {"zero": "raise"}),
        ("pairs.apply", {"first": [0]}),
        ("pairs.apply", {"second": [0, 2]}),
        ("pairs.apply", {"first": [0] * (1 << 21), "second": [0] * (1 << 21)}),
        ("pairs.apply", {"fill": f64()}),
        ("aggregates.apply", {"functions": ["sum", "mode"]}),
        ("aggregates.apply", {"functions": ["sum"] * 100}),
        ("aggregates.apply", {"positions": [2]}),
        ("scale.clip", {"low": f64(0)}),
        ("elementwise.power", {"exponent": f64(1, 2)}),
        ("elementwise.accept", {"takes": "some"}),
        ("strings.name", {"words": [["x"], [1]]}),
        ("strings.name", {"missing": [None]}),
    ],
)
def test_a_plan_over_numbers_that_could_go_wrong_is_refused(op: str, changes: dict[str, Any]) -> None:
    parameters, arrays, width = NUMBERS[op]
    with pytest.raises(ModelRefused):
        loaded(
            op,
            parameters | {k: v for k, v in changes.items() if k not in arrays},
            arrays | {k: v for k, v in changes.items() if k in arrays},
            width,
        )


@pytest.mark.parametrize(
    ("op", "changes"),
    [
        ("strings.keep", {"known": [["x", 1]]}),
        ("strings.keep", {"other": [1]}),
        ("strings.keep", {"nulls": []}),
        ("strings.clear", {"words": [None]}),
        ("strings.measure", {"measures": ["vowels"]}),
        ("strings.measure", {"measures": ["is_empty"] * (1 << 21)}),
        ("strings.measure", {"ascii": 1}),
        ("strings.similarity", {"known": [["x" * 100_000]]}),
        ("strings.similarity", {"known": []}),
        ("strings.similarity", {"missing": "zero"}),
    ],
)
def test_a_plan_over_strings_that_could_go_wrong_is_refused(op: str, changes: dict[str, Any]) -> None:
    parameters, width = STRINGS[op]
    with pytest.raises(ModelRefused):
        of_string(op, parameters | changes, width)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([*NUMBERS]))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_damaged_plan_is_refused_or_answers(data: st.DataObject, op: str) -> None:
    parameters, arrays, width = NUMBERS[op]
    node = {"op": op, "inputs": ["input"], "output": "y", "arrays": {name: name for name in arrays}, **parameters}
    try:
        model = damaged(data, document([node], "y", outputs=width), arrays)
    except ModelRefused:
        return
    for row in ([0.0, math.nan], [1e18, -5.0]):
        try:
            model.answer([row])
        except InvalidInput:
            continue


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("flyweight_steps")
    module.STEPS = {"year": (lambda row: [float(row[0].year) if row[0] else -1.0, str(row[1])], "ns")}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flyweight_steps", module)
    return module


def test_a_step_of_ones_own_gets_datetimes(steps: ModuleType) -> None:
    node = {"op": "own.dated_step", "inputs": ["input"], "output": "y", "step": "year", "dates": [0, 1], "zones": ["none", "UTC"]}
    rule = predictor([node], "y", outputs=2).engine.plan.ops[0]
    assert rule.row([1e15, 0.0]) == [2001.0, str(datetime(1970, 1, 1, tzinfo=UTC))]
    assert rule.row([math.nan, 1e300]) == [-1.0, "None"]
    for changes in ({"dates": [2, 0]}, {"zones": ["none"]}, {"zones": ["none", "CET"]}):
        with pytest.raises(ModelRefused):
            predictor([{**node, **changes}], "y", outputs=2)
