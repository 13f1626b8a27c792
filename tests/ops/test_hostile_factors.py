"""Damaged factorizations and codes are refused before a prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flyweight.errors import InvalidInput, ModelRefused
from tests.ops.hostile import changed, loaded

PARTS = np.array([[1.0, 0.0], [1.0, 2.0]])
LIMITS = np.array([1e-4, 0.0, 0.0])
VALID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "factors.descent": ({"rounds": 2}, {"parts": PARTS, "limits": LIMITS, "orders": np.array([[0, 1], [1, 0]], dtype=np.int32)}),
    "factors.scaling": ({"rounds": 20, "errors": True}, {"parts": PARTS, "limits": LIMITS, "powers": np.array([2.0, 1.0])}),
    "angles.path": (
        {"rounds": 5, "lasso": True, "positive": False},
        {"gram": np.array([[1.0, 0.5], [0.5, 1.0]]), "limits": np.array([0.1, 2.0])},
    ),
}
DAMAGED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "no parts": ("factors.descent", {}, {"parts": np.zeros((0, 2))}),
    "a part below zero": ("factors.descent", {}, {"parts": -PARTS}),
    "an infinite part": ("factors.scaling", {}, {"parts": np.array([[np.inf, 0.0], [1.0, 2.0]])}),
    "parts of other features": ("factors.scaling", {}, {"parts": np.ones((2, 3))}),
    "a limit too few": ("factors.descent", {}, {"limits": LIMITS[:2]}),
    "rounds without end": ("factors.scaling", {"rounds": 1_000_000_000}, {}),
    "more rounds than a request has time for": ("factors.scaling", {"rounds": 999_999}, {"parts": np.ones((50, 2))}),
    "no round": ("factors.descent", {"rounds": 0}, {}),
    "an order of parts that are not there": ("factors.descent", {}, {"orders": np.array([[0, 1], [1, 2]], dtype=np.int32)}),
    "orders for fewer rounds": ("factors.descent", {"rounds": 3}, {}),
    "a power of nothing": ("factors.scaling", {}, {"powers": np.array([np.nan, 1.0])}),
    "an infinite product": ("angles.path", {}, {"gram": np.full((2, 2), np.inf)}),
    "products of other atoms": ("angles.path", {}, {"gram": np.eye(3)}),
    "a limit below zero": ("angles.path", {}, {"limits": np.array([-1.0, 2.0])}),
    "a limit that is no number": ("angles.path", {}, {"limits": np.array([np.nan, 2.0])}),
    "a path of no step": ("angles.path", {"rounds": 0}, {}),
    "a power of zero": ("factors.scaling", {}, {"powers": np.array([2.0, 0.0])}),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_factorization_is_refused(damage: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    op, parameters, arrays = damage
    valid, valid_arrays = VALID[op]
    loaded(op, valid, valid_arrays, 2)
    with pytest.raises(ModelRefused):
        loaded(op, {**valid, **parameters}, changed(valid_arrays, **arrays), 2)


@pytest.mark.parametrize("op", VALID)
@pytest.mark.parametrize("row", [[-1.0, 1.0], [1e308, 1e308], [5e-324, 0.0], [0.0, 0.0]])
def test_numbers_of_any_size_are_answered_or_refused(op: str, row: list[float]) -> None:
    valid, arrays = VALID[op]
    try:
        answer = loaded(op, valid, arrays, 2).predict([row]).predictions
    except InvalidInput:
        assert row != [0.0, 0.0]
    else:
        assert (min(row) >= 0.0 or op == "angles.path") and len(answer) == 1
