"""Malformed models of more families are refused when they are loaded; numbers of any size are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flyweight import InvalidInput, ModelRefused
from tests.ops.hostile import Arrays, changed, i32, loaded, predictor

F = np.array
TWO = np.eye(2)  # two points, centers, means of two features
U8 = np.uint8

SOUND: dict[str, tuple[dict[str, Any], Arrays, int]] = {
    "log_linear.mean": ({}, {"weights": TWO, "intercept": F([0.0, 1.0])}, 2),
    "log_linear.reciprocal": ({}, {"weights": TWO, "intercept": F([0.0, 1.0])}, 2),
    "gaussian.diagonal": ({}, {"means": TWO, "variances": TWO + 1.0, "constants": F([0.0, 0.0])}, 2),
    "gaussian.expanded": ({}, {"means": TWO, "precisions": TWO, "constants": F([0.0, 0.0])}, 2),
    "gaussian.whitened": ({}, {"means": TWO, "factors": F([TWO, TWO]), "constants": F([0.0, 0.0])}, 2),
    "categories.log_sums": ({"names": ["a", "b"]}, {"tables": TWO, "starts": i32(0, 1, 2), "prior": F([0.0, 0.0])}, 2),
    "centers.nearest": ({}, {"centers": TWO, "labels": i32(0, -1)}, 1),
    "centers.descend": (
        {},
        {"centers": F([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), "labels": i32(0, 1, 2), "right": i32(2, 0, 0)},
        1,
    ),
    "kernels.machine": (
        {"kernel": "poly", "degree": 3},
        {
            "vectors": F([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
            "weights": np.ones((1, 3)),
            "intercept": F([0.0]),
            "parameters": F([1.0, 0.0]),
            "counts": i32(1, 2),
        },
        1,
    ),
    "neighbors.votes": (
        {"metric": "euclidean", "k": 1, "weights": "distance", "widths": [2]},
        {
            "points": TWO,
            "labels": i32(0, 1).reshape(2, 1),
            "leaf": F([0, 1, 1], dtype=U8),
            "begins": i32(0, 0, 1),
            "ends": i32(2, 1, 2),
            "lower": np.zeros((3, 2)),
            "upper": np.ones((3, 2)),
        },
        2,
    ),
    "neighbors.mean": (
        {"metric": "minkowski", "weights": "uniform"},
        {"points": TWO, "targets": TWO, "radius": F([1.0]), "power": F([3.0])},
        2,
    ),
    "neighbors.outlier_factor": (
        {"metric": "chebyshev", "k": 2},
        {"points": TWO, "reach": F([1.0, 1.0]), "density": F([1.0, 1.0]), "offset": F([-1.5])},
        1,
    ),
    "processes.mean": (
        {
            "kernel": ["rbf", "dot", "product", "periodic", "quadratic", "sum", "power", "matern_2.5", "white", "constant"]
            + ["sum"] * 4
        },
        {
            "points": TWO,
            "weights": TWO,
            "multiply": F([1.0, 2.0]),
            "add": F([0.0, 0.0]),
            "numbers": F([1.0, 2.0, 0.5, 1.0, 3.0, 0.5, 1.0, 1.0, -0.5, 1.0, 1.0, 7.0]),
        },
        2,
    ),
    "outliers.mahalanobis": ({}, {"mean": F([0.0, 0.0]), "precision": TWO, "offset": F([-1.0])}, 1),
    "activations.relu": ({}, {}, 2),
    "activations.tanh": ({}, {}, 2),
    "activations.logistic": ({}, {}, 2),
}


HARD_ROWS = [[0.0, 0.0], [1.0, 1.0], [-1e308, 1e308], [1e-320, -0.0], [None, None], [5e307, None]]


@pytest.mark.parametrize("op", SOUND)
def test_the_nodes_that_the_cases_below_damage_are_sound_and_answer_any_number(op: str) -> None:
    parameters, arrays, outputs = SOUND[op]
    model = loaded(op, parameters, arrays, outputs)
    for row in HARD_ROWS:
        try:
            model.predict([row])
        except InvalidInput:
            assert op == "categories.log_sums"


DAMAGED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "mean of too few weights": ("log_linear.mean", {}, {"weights": np.ones((2, 1))}),
    "no constants": (
        "gaussian.diagonal",
        {},
        {"constants": np.zeros(0), "means": np.zeros((0, 2)), "variances": np.zeros((0, 2))},
    ),
    "variance of zero": ("gaussian.diagonal", {}, {"variances": TWO}),
    "variances of another shape": ("gaussian.diagonal", {}, {"variances": np.ones((2, 3))}),
    "means of another shape": ("gaussian.expanded", {}, {"means": np.ones((3, 2))}),
    "no precisions": ("gaussian.expanded", {}, {"precisions": None}),
    "three factors for two": ("gaussian.whitened", {}, {"factors": np.ones((3, 2, 2))}),
    "factors of other features": ("gaussian.whitened", {}, {"factors": np.ones((2, 2, 3))}),
    "starts that go down": ("categories.log_sums", {}, {"starts": i32(0, 2, 1)}),
    "starts past the tables": ("categories.log_sums", {}, {"starts": i32(0, 1, 3)}),
    "starts that leave a row out": ("categories.log_sums", {}, {"starts": i32(0, 1, 1)}),
    "a name too few": ("categories.log_sums", {"names": ["a"]}, {}),
    "no class": ("categories.log_sums", {}, {"tables": np.zeros((2, 0)), "prior": np.zeros(0)}),
    "no center": ("centers.nearest", {}, {"centers": np.zeros((0, 2)), "labels": i32()}),
    "a label too few": ("centers.nearest", {}, {"labels": i32(0)}),
    "a descent that goes back": ("centers.descend", {}, {"right": i32(1, 0, 0)}),
    "a descent that leaves": ("centers.descend", {}, {"right": i32(3, 0, 0)}),
    "a descent without an end": ("centers.descend", {}, {"right": i32(2, 0, 2)}),
    "kernel unknown": ("kernels.machine", {"kernel": "precomputed"}, {}),
    "degree below zero": ("kernels.machine", {"degree": -1}, {}),
    "degree without end": ("kernels.machine", {"degree": 10**9}, {}),
    "counts that miss a vector": ("kernels.machine", {}, {"counts": i32(1, 1)}),
    "counts of three classes": ("kernels.machine", {}, {"counts": i32(1, 1, 1)}),
    "intercepts for other pairs": ("kernels.machine", {}, {"intercept": F([0.0, 1.0])}),
    "rows of weights without counts": ("kernels.machine", {}, {"counts": None, "weights": np.ones((2, 3))}),
    "no row of weights": ("kernels.machine", {}, {"counts": None, "weights": np.ones((0, 3))}),
    "vectors of other features": ("kernels.machine", {}, {"vectors": np.ones((3, 3))}),
    "one parameter": ("kernels.machine", {}, {"parameters": F([1.0])}),
    "more neighbors than points": ("neighbors.votes", {"k": 3}, {}),
    "no neighbor": ("neighbors.votes", {"k": 0}, {}),
    "metric unknown": ("neighbors.votes", {"metric": "mine"}, {}),
    "weights unknown": ("neighbors.votes", {"weights": "mine"}, {}),
    "label of no class": ("neighbors.votes", {}, {"labels": i32(0, 2).reshape(2, 1)}),
    "label of another output": ("neighbors.votes", {"widths": [1, 1]}, {"labels": i32(1, 0, 0, 1).reshape(2, 2)}),
    "no class at all": ("neighbors.votes", {"widths": []}, {"labels": np.zeros((2, 0), dtype=np.int32)}),
    "a branch without children": ("neighbors.votes", {}, {"leaf": F([0, 0, 1], dtype=U8)}),
    "leaves that share points": ("neighbors.votes", {}, {"begins": i32(0, 0, 0)}),
    "a leaf past the points": ("neighbors.votes", {}, {"ends": i32(2, 1, 3)}),
    "a leaf that ends first": ("neighbors.votes", {}, {"begins": i32(0, 1, 2), "ends": i32(2, 0, 2)}),
    "bounds for fewer nodes": ("neighbors.votes", {}, {"lower": np.zeros((2, 2))}),
    "no nodes": (
        "neighbors.votes",
        {},
        {"leaf": F([], dtype=U8), "begins": i32(), "ends": i32(), "lower": np.zeros((0, 2)), "upper": np.zeros((0, 2))},
    ),
    "no points": ("neighbors.mean", {}, {"points": np.zeros((0, 2)), "targets": np.zeros((0, 2))}),
    "power below one": ("neighbors.mean", {}, {"power": F([0.0])}),
    "power not a number": ("neighbors.mean", {}, {"power": F([np.nan])}),
    "two radii": ("neighbors.mean", {}, {"radius": F([1.0, 2.0])}),
    "a target too few": ("neighbors.mean", {}, {"targets": np.ones((1, 2))}),
    "a density too few": ("neighbors.outlier_factor", {}, {"density": F([1.0])}),
    "no offset": ("neighbors.outlier_factor", {}, {"offset": None}),
    "a kernel of nothing": ("processes.mean", {"kernel": []}, {}),
    "a kernel without end": ("processes.mean", {"kernel": ["white"] * 101}, {}),
    "a part unknown": ("processes.mean", {"kernel": ["exec"]}, {}),
    "a part that joins nothing": ("processes.mean", {"kernel": ["sum", "white"]}, {"numbers": np.zeros(0)}),
    "a power of nothing": ("processes.mean", {"kernel": ["power", "white"]}, {"numbers": F([2.0])}),
    "parts left over": ("processes.mean", {"kernel": ["white", "white"]}, {"numbers": np.zeros(0)}),
    "numbers left over": ("processes.mean", {"kernel": ["white"]}, {}),
    "too few numbers": ("processes.mean", {"kernel": ["rbf"]}, {"numbers": F([1.0])}),
    "a length of zero": ("processes.mean", {"kernel": ["rbf"]}, {"numbers": F([1.0, 0.0])}),
    "a period of zero": ("processes.mean", {"kernel": ["periodic"]}, {"numbers": F([1.0, 0.0])}),
    "points of other features": ("processes.mean", {}, {"points": np.ones((2, 3))}),
    "one factor for two outputs": ("processes.mean", {}, {"multiply": F([1.0])}),
    "precision not square": ("outliers.mahalanobis", {}, {"precision": np.ones((2, 3))}),
    "sign of two": ("outliers.sign", {"inclusive": True}, {}),
    "isolation of two": ("outliers.isolation", {}, {"parameters": F([1.0, 0.0])}),
    "votes of two values": ("kernels.votes", {"classes": 3}, {}),
    "votes of one class": ("kernels.votes", {"classes": 1}, {}),
    "scores of endless classes": ("kernels.scores", {"classes": 10**9}, {}),
    "shares without slopes": ("coupling.shares", {"classes": 2}, {}),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_node_is_refused(damage: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
    op, parameters, arrays = damage
    sound, sound_arrays, outputs = SOUND.get(op, ({}, {}, 1))
    with pytest.raises(ModelRefused):
        loaded(op, {**sound, **parameters}, changed(sound_arrays, **arrays), outputs)


def test_an_isolation_of_no_depth_is_refused() -> None:
    first = {"op": "columns.take", "inputs": ["input"], "output": "x", "positions": [0]}
    last = {"op": "outliers.isolation", "inputs": ["x"], "output": "y", "arrays": {"parameters": "p"}}
    assert predictor([first, last], "y", {"p": F([1.0, 0.0])}).predict([[-1e308, 0.0]]).predictions == [float("-inf")]
    with pytest.raises(ModelRefused):
        predictor([first, last], "y", {"p": F([0.0, 0.0])})
