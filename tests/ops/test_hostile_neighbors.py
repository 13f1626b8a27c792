"""Damaged searches among neighbors, by every metric and tree, are refused before a prediction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flyweight.errors import ModelRefused
from tests.ops.hostile import changed, loaded


def i32(*values: int) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.int32)


TWO = np.array([[1.0, 2.0], [3.0, 4.0]])
MEAN: dict[str, Any] = {"k": 1, "weights": "uniform", "metric": "euclidean"}
BALL = {
    "points": TWO,
    "targets": TWO,
    "leaf": np.array([0, 1, 1], dtype=np.uint8),
    "begins": i32(0, 0, 1),
    "ends": i32(2, 1, 2),
    "centers": np.zeros((3, 2)),
    "radii": np.array([1.0, 1.0, 1.0]),
}
VALID: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ball": (MEAN, BALL),
    "weighted": (MEAN | {"metric": "minkowski"}, BALL | {"power": np.array([3.0]), "weight": np.array([1.0, 2.0])}),
    "standardized": (MEAN | {"metric": "seuclidean"}, BALL | {"variances": np.array([1.0, 2.0])}),
    "mahalanobis": (MEAN | {"metric": "mahalanobis"}, BALL | {"inverse": np.eye(2)}),
    "haversine": (MEAN | {"metric": "haversine"}, BALL),
    "jaccard": (MEAN | {"metric": "jaccard"}, BALL),
}
DAMAGED: dict[str, tuple[str, dict[str, Any]]] = {
    "a center too few": ("ball", {"centers": np.zeros((2, 2))}),
    "centers of other features": ("jaccard", {"centers": np.zeros((3, 3))}),
    "a radius too few": ("ball", {"radii": np.array([1.0, 1.0])}),
    "no radii": ("ball", {"radii": None}),
    "a parent of fewer points": ("ball", {"ends": i32(1, 1, 2)}),
    "children that overlap": ("jaccard", {"begins": i32(0, 0, 0), "ends": i32(2, 1, 1)}),
    "an infinite power": ("weighted", {"power": np.array([np.inf])}),
    "weights of other features": ("weighted", {"weight": np.array([1.0])}),
    "a variance of zero": ("standardized", {"variances": np.array([0.0, 1.0])}),
    "no variances": ("standardized", {"variances": None}),
    "an inverse that is not square": ("mahalanobis", {"inverse": np.ones((2, 3))}),
}


@pytest.mark.parametrize("name", VALID)
def test_a_valid_search_is_accepted(name: str) -> None:
    parameters, arrays = VALID[name]
    loaded("neighbors.mean", parameters, arrays, 2)


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_search_is_refused(damage: tuple[str, dict[str, Any]]) -> None:
    name, arrays = damage
    parameters, valid = VALID[name]
    with pytest.raises(ModelRefused):
        loaded("neighbors.mean", parameters, changed(valid, **arrays), 2)
