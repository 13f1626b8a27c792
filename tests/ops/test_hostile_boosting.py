"""Plans of boosted trees that could go wrong are refused; numbers of any size are answered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from flyweight.ops.hashes import city_hash
from flyweight.toolkit.convert.trees import Tree, flat
from tests.ops.hostile import Arrays, changed, i32, loaded

F = np.array
U8 = np.uint8


def stored(arrays: Arrays) -> Arrays:
    """Return the arrays of a flat forest in the types that files have."""
    kinds = {"i": np.int32, "f": np.float64}
    return {
        name: a if a.dtype.kind == "u" or a.dtype == np.int16 else a.astype(kinds[a.dtype.kind]) for name, a in arrays.items()
    }


def stump(value: Any) -> Arrays:
    """Return a split of feature a at 0.5: the first value to the left, the second to the right."""
    column = np.array([[np.nan] * len(value[0]), *value])
    ends = i32(-1, -1)
    tree = Tree(i32(1, *ends), i32(2, *ends), i32(0, *ends), F([0.5, 0.0, 0.0]), F([1, 0, 0], dtype=U8), column)
    return stored(flat([tree]))


QUESTIONS: Arrays = {
    "feature": i32(0, 1),
    "border": F([0.5, 2.0]),
    "equal": F([0, 1], dtype=U8),
    "missing": F([1, 0], dtype=U8),
}

# op -> its parameters, its arrays and the number of its outputs, all valid
VALID: dict[str, tuple[dict[str, Any], Arrays, int]] = {
    "boosted.zero_is_missing": ({"positions": [0]}, {}, 2),
    "boosted.whole": ({"positions": [1]}, {}, 2),
    "boosted.signed_square": ({}, {}, 2),
    "boosted.linear_leaves": (
        {"outputs": 1},
        {
            **stump([[0.0], [1.0]]),
            "leaves": F([1.0, 2.0]),
            "constants": F([0.5, 1e308]),
            "starts": i32(0, 2, 3),
            "features": i32(0, 1, 1),
            "coefficients": F([1.0, 1e308, -2.0]),
            "targets": i32(0),
        },
        1,
    ),
    "float32.rounded": ({"missing": [-1, 2.5]}, {}, 2),
    "float32.category": ({"limits": [0, 5]}, {}, 2),
    "float32.sum": ({}, {**stump([[1.0], [1e30]]), "base": F([0.5, 0.0]), "targets": i32(1)}, 2),
    "float32.exp": ({}, {}, 2),
    "float32.sigmoid": ({}, {}, 2),
    "float32.softmax": ({}, {}, 2),
    "hashes.city": ({"names": ["a", "b"]}, {}, 2),
    "catboost.answers": ({}, QUESTIONS, 2),
    "catboost.oblivious": (
        {},
        {
            **QUESTIONS,
            "asked": i32(0, 1, 1),
            "starts": i32(0, 2, 2, 3),
            "leaves": np.ones((7, 2)),
            "scale": F([1.0]),
            "bias": F([0.0, 1.0]),
        },
        2,
    ),
    "catboost.statistic": (
        {"hashed": [0], "answered": [1], "first": 1, "last": 2},
        {"keys": i32(0, 1, -1, 5).reshape(2, 2), "counts": F([[1.0, 2.0], [0.0, 0.0]]), "shape": F([0.5, 1.0, 0.0, 15.0])},
        1,
    ),
}


HARD = [0.0, -0.0, 1.0, -0.5, 2.0, 1e308, -1e308, 1e-320, -1e-35, 3e38, 2147483648.0, None]


@pytest.mark.parametrize("op", VALID)
def test_the_nodes_that_the_cases_below_damage_are_valid_and_answer_any_number(op: str) -> None:
    model = loaded(*((op, *VALID[op])))
    for a in HARD:
        for b in HARD:
            try:
                model.answer([[math.nan if v is None else v for v in (a, b)]])
            except InvalidInput:
                assert op == "hashes.city"


DAMAGED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "zeros of a column that is not there": ("boosted.zero_is_missing", {"positions": [2]}, {}),
    "whole numbers of a column below zero": ("boosted.whole", {"positions": [-1]}, {}),
    "whole numbers everywhere": ("boosted.whole", {"positions": "all"}, {}),
    "linear leaves without constants": ("boosted.linear_leaves", {}, {"constants": None}),
    "a constant too few": ("boosted.linear_leaves", {}, {"constants": F([1.0])}),
    "starts that go down": ("boosted.linear_leaves", {}, {"starts": i32(0, 3, 2)}),
    "starts past the terms": ("boosted.linear_leaves", {}, {"starts": i32(0, 2, 4)}),
    "a term of a column that is not there": ("boosted.linear_leaves", {}, {"features": i32(0, 1, 2)}),
    "more features than coefficients": ("boosted.linear_leaves", {}, {"features": i32(0, 1, 1, 1)}),
    "a target that is not there": ("boosted.linear_leaves", {}, {"targets": i32(1)}),
    "no target": ("boosted.linear_leaves", {}, {"targets": i32()}),
    "endless outputs": ("boosted.linear_leaves", {"outputs": 10**9}, {}),
    "a leaf of which nothing is known": (
        "boosted.linear_leaves",
        {},
        {"leaves": F([1.0]), "constants": F([1.0]), "starts": i32(0, 3)},
    ),
    "missing by name": ("float32.rounded", {"missing": ["x"]}, {}),
    "missing a number alone": ("float32.rounded", {"missing": 1.0}, {}),
    "a limit too few": ("float32.category", {"limits": [1]}, {}),
    "a limit that is not whole": ("float32.category", {"limits": [1.5, 0]}, {}),
    "a limit below zero": ("float32.category", {"limits": [-1, 0]}, {}),
    "a limit beyond a double": ("float32.category", {"limits": [10**400, 0]}, {}),
    "a sum without base": ("float32.sum", {}, {"base": None}),
    "a sum of nothing": ("float32.sum", {}, {"base": np.zeros(0), "leaves": np.zeros((2, 0))}),
    "a sum to an output that is not there": ("float32.sum", {}, {"targets": i32(2)}),
    "leaves of another width": ("float32.sum", {}, {"leaves": np.zeros((2, 3))}),
    "a sum without targets": ("float32.sum", {}, {"targets": None}),
    "both of two": ("float32.both", {}, {}),
    "a hash without a name": ("hashes.city", {"names": ["a"]}, {}),
    "a question about nothing": ("catboost.answers", {}, {"feature": i32(0, 2)}),
    "a question without a border": ("catboost.answers", {}, {"border": F([0.5])}),
    "a question that is more than equal": ("catboost.answers", {}, {"equal": F([0, 2], dtype=U8)}),
    "a question that is not there": ("catboost.oblivious", {}, {"asked": i32(0, 1, 2)}),
    "a tree of half a level": ("catboost.oblivious", {}, {"starts": i32(0, 2, 1, 3)}),
    "trees that leave a question out": ("catboost.oblivious", {}, {"starts": i32(0, 2, 2)}),
    "no tree": ("catboost.oblivious", {}, {"starts": i32(0), "asked": i32(), "leaves": np.zeros((0, 2))}),
    "no tree and no start": ("catboost.oblivious", {}, {"starts": i32(), "asked": i32(), "leaves": np.zeros((0, 2))}),
    "a leaf too few": ("catboost.oblivious", {}, {"leaves": np.ones((6, 2))}),
    "leaves too narrow": ("catboost.oblivious", {}, {"leaves": np.ones((7, 1))}),
    "no output": ("catboost.oblivious", {}, {"bias": np.zeros(0), "leaves": np.ones((7, 0))}),
    "two scales": ("catboost.oblivious", {}, {"scale": F([1.0, 2.0])}),
    "trees deeper than memory": (
        "catboost.oblivious",
        {},
        {"asked": np.zeros(40, dtype=np.int32), "starts": i32(0, 40), "leaves": np.ones((1, 2))},
    ),
    "a hash of a column that is not there": ("catboost.statistic", {"hashed": [2]}, {}),
    "a key too few": ("catboost.statistic", {}, {"keys": i32(0, 1).reshape(1, 2)}),
    "counts that end before they begin": ("catboost.statistic", {"first": 2, "last": 1}, {}),
    "counts past the last": ("catboost.statistic", {"last": 3}, {}),
    "a count beyond measure": ("catboost.statistic", {}, {"counts": F([[1.0, 1e300], [0.0, 0.0]])}),
    "a count that is NaN": ("catboost.statistic", {}, {"counts": F([[1.0, np.nan], [0.0, 0.0]])}),
    "a shape of three": ("catboost.statistic", {}, {"shape": F([0.5, 1.0, 0.0])}),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_node_is_refused(damage: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    op, parameters, arrays = damage
    valid, valid_arrays, outputs = VALID.get(op, ({}, {}, 1))
    with pytest.raises(ModelRefused):
        loaded(op, {**valid, **parameters}, changed(valid_arrays, **arrays), outputs)


# the lower 32 bits of CityHash64 1.0, as CatBoost 1.2.10 saved them for these categories of a model's one-hot splits
HASHES = {
    "": 797982799,
    "a": -805065478,
    "abcd": 345588365,
    "0123456789abcdef": -1649659113,
    "0123456789abcdefg": -445042630,
    "x" * 32: 664286079,
    "z" * 48: 1890303378,
    "w" * 65: 1141626801,
    "Ünïcode" * 3: -1694277926,
    "v" * 128: 1639191936,
    "t" * 200: -353831592,
}


@pytest.mark.parametrize(("text", "expected"), HASHES.items(), ids=[f"{len(text)} characters" for text in HASHES])
def test_a_text_of_any_length_has_the_hash_that_catboost_gives_it(text: str, expected: int) -> None:
    assert city_hash(text) == expected
