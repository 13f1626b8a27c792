"""The nearest points of a batch: those that a product of matrices chooses are measured as all points would be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.models.file import Tensor
from flyweight.ops import Node, _neighbors
from flyweight.ops._distances import candidates, prepared_points
from flyweight.ops._neighbors import Search

Array = np.ndarray[Any, Any]


def searching(points: Array, k: int, metric: str = "euclidean") -> Search:
    spec = {"op": "neighbors.votes", "arrays": {"points": "points"}, "metric": metric, "k": k}
    tensors = {"points": Tensor("F64", points.shape, memoryview(np.ravel(points)))}
    return Search(Node(spec, ("n" * points.shape[1],), tensors))


@st.composite
def clouds(draw: st.DrawFn) -> tuple[Array, Array]:
    """Points and rows near each other or far from zero, on a grid, where many distances are equal, or not."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    width, count = draw(st.integers(1, 6)), draw(st.integers(100, 400))
    values = (
        rng.integers(-3, 4, (count + 20, width)).astype(float) if draw(st.booleans()) else rng.normal(size=(count + 20, width))
    )
    values = values * draw(st.sampled_from([1.0, 1e-160, 1e-8, 1e150])) + draw(st.sampled_from([0.0, 1.0, 1e8, -1e15]))
    return values[:count], values[count:]


@settings(max_examples=300, deadline=None)
@given(cloud=clouds(), k=st.integers(1, 6), metric=st.sampled_from(["euclidean", "sqeuclidean"]))
def test_points_that_are_chosen_first_give_the_same_neighbors(cloud: tuple[Array, Array], k: int, metric: str) -> None:
    points, rows = cloud
    search = searching(points, k, metric)
    with np.errstate(all="ignore"):
        found, positions, sure = search._nearest_of_few(rows)
        expected, others, sure_of_all = search._nearest_of_all(rows)
    assert (sure == sure_of_all).all()
    order = np.argsort(expected, axis=1, kind="stable")
    assert np.array_equal(found[sure], np.take_along_axis(expected, order, axis=1)[sure])
    assert np.array_equal(np.sort(positions, axis=1)[sure], np.sort(others, axis=1)[sure])


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e200])
def test_a_row_whose_distances_are_not_finite_is_in_doubt(value: float) -> None:
    points = np.random.default_rng(0).normal(size=(200, 3))
    rows = np.array([[0.0, value, 0.0], [0.0, 0.0, 0.0]])
    _, _, sure = searching(points, 2).nearest(rows)
    assert sure.tolist() == [False, True]
    _, positions, sure = searching(points, 2).nearest(rows[:1])
    assert positions.shape == (1, 2) and not sure.any()


def test_few_points_are_measured_where_one_row_has_many() -> None:
    points = np.random.default_rng(0).normal(size=(5000, 20))
    chosen, _ = candidates(points[:50] + 0.01, prepared_points(points), 6)
    assert 6 * 50 <= len(chosen) < 20 * 50


def test_points_are_chosen_only_where_there_are_many_more_than_neighbors() -> None:
    points = np.random.default_rng(0).normal(size=(_neighbors.CHOSEN * 4, 2))
    assert not searching(points, 4)._chooses and searching(points, 3)._chooses
    assert not searching(points, 3, "manhattan")._chooses
