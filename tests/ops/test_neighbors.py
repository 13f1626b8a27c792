"""The neighbors of a batch: those that a product of matrices chooses, and those within a radius, are those of each row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import BallTree

from flyweight.errors import InvalidInput
from flyweight.models.file import Tensor
from flyweight.ops import Node, _neighbors
from flyweight.ops._distances import candidates, prepared_points
from flyweight.ops._neighbors import Search
from flyweight.ops.neighbors import Mean, Votes

Array = np.ndarray[Any, Any]

DTYPES = {"leaf": "u1", "begins": "u4", "ends": "u4", "labels": "u4"}  # other arrays are float64


def node(points: Array, options: dict[str, Any], **arrays: Any) -> Node:
    every = {"points": points} | {name: np.asarray(values, dtype=DTYPES.get(name, float)) for name, values in arrays.items()}
    spec = {"op": "neighbors.votes", "arrays": {name: name for name in every}, "metric": "euclidean", **options}
    tensors = {
        name: Tensor(f"{values.dtype.kind}{8 * values.itemsize}".upper(), values.shape, memoryview(np.ravel(values)))
        for name, values in every.items()
    }
    return Node(spec, ("n" * points.shape[1],), tensors)


def searching(points: Array, k: int, metric: str = "euclidean", **arrays: Any) -> Search:
    return Search(node(points, {"metric": metric, "k": k}, **arrays))


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


@settings(max_examples=150, deadline=None)
@given(cloud=clouds(), metric=st.sampled_from(["euclidean", "sqeuclidean", "manhattan", "chebyshev"]), near=st.floats(0.0, 1.5))
def test_within_a_radius_a_batch_finds_the_neighbors_of_each_row(cloud: tuple[Array, Array], metric: str, near: float) -> None:
    points, rows = cloud
    with np.errstate(all="ignore"):
        middle = np.nanmedian(searching(points, 1)._metric.batch(rows, points)) ** 0.5  # type: ignore[misc]
    search = searching(points, 0, metric, radius=[float(middle) * near])
    with np.errstate(all="ignore"):
        distances, inside, sure = search.within(rows)
    assert sure.all() or not np.isfinite(distances).all()
    for row in sure.nonzero()[0]:
        expected = sorted(search.neighbors(rows[row].tolist()))
        assert sorted(zip(distances[row][inside[row]], inside[row].nonzero()[0], strict=True)) == expected


def test_a_row_at_the_radius_of_a_ball_tree_is_in_doubt() -> None:
    points = np.array([[0.0], [1.0], [2.0]])
    tree = {"leaf": [1.0], "begins": [0.0], "ends": [3.0], "centers": points[1:2], "radii": [1.0]}
    search = searching(points, 0, radius=[1.0], **tree)
    _, inside, sure = search.within(np.array([[0.5], [3.0], [9.0]]))
    assert sure.tolist() == [True, False, True]
    assert inside[sure].tolist() == [[True, True, False], [False, False, False]]
    assert searching(points, 0, radius=[0.0], **tree).within(points)[2].tolist() == [False, False, False]


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), near=st.floats(0.0, 1.5), shift=st.sampled_from([0.0, 1e9]))
def test_a_batch_in_a_ball_tree_finds_the_neighbors_of_each_row(seed: int, near: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(-3, 4, (60, 2)).astype(float) + shift
    tree = BallTree(points, leaf_size=5)
    _, order, nodes, centers = map(np.asarray, tree.get_arrays())
    arrays = {"leaf": nodes["is_leaf"], "begins": nodes["idx_start"], "ends": nodes["idx_end"], "radii": nodes["radius"]}
    search = searching(points[order], 0, radius=[near * 2], centers=centers[0], **arrays)
    rows = rng.integers(-3, 4, (20, 2)) + shift
    distances, inside, sure = search.within(rows)
    for row in sure.nonzero()[0]:
        expected = sorted(search.neighbors(rows[row].tolist()))
        assert sorted(zip(distances[row][inside[row]], inside[row].nonzero()[0], strict=True)) == expected


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "minkowski"])
@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_a_batch_within_a_radius_answers_as_its_rows_do(weights: str, metric: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 3))
    options = {"weights": weights, "metric": metric, "widths": [3]}
    arrays = {"radius": [1.0], "power": [3.0], "lonely": [0.5, 0.25, 0.25]}
    votes = Votes(node(points, options, **arrays, labels=rng.integers(0, 3, (300, 1))))
    mean = Mean(node(points, options, **arrays, targets=rng.normal(size=(300, 3))))
    rows = np.concatenate([rng.normal(size=(200, 3)), [[50.0, 0.0, 0.0]], points[:5]])
    for op in (votes, mean):
        with np.errstate(all="ignore"):
            found = op.batch(rows)
        np.testing.assert_allclose(found, [op.row(row) for row in rows.tolist()], rtol=1e-12, atol=1e-14)


def test_a_row_without_neighbors_is_refused_in_a_batch_where_the_model_has_no_answer_for_it() -> None:
    points = np.zeros((3, 1))
    votes = Votes(node(points, {"weights": "uniform", "widths": [2]}, radius=[1.0], labels=[[0], [1], [1]]))
    assert votes.batch(np.array([[0.5]])).tolist() == [[1 / 3, 2 / 3]]
    with pytest.raises(InvalidInput, match="without any"):
        votes.batch(np.array([[0.5], [7.0]]))


def test_a_batch_of_rows_that_all_lack_neighbors_is_refused_in_words() -> None:
    votes = Votes(node(np.zeros((3, 1)), {"weights": "uniform", "widths": [2]}, radius=[1.0], labels=[[0], [1], [1]]))
    with pytest.raises(InvalidInput, match="without any"):
        votes.batch(np.array([[7.0], [9.0]]))
    assert votes.batch(np.empty((0, 1))).shape == (0, 2)
