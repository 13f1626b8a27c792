"""Values from the nearest rows: a batch measures few training rows and fills what the row form fills."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.models.file import Tensor
from flyweight.ops import Node
from flyweight.ops.imputers import Merge, Nearest

Array = np.ndarray[Any, Any]


def nearest(points: Array, k: int) -> Nearest:
    arrays = {"points": points, "means": np.arange(points.shape[1], dtype=float)}
    tensors = {name: Tensor("F64", array.shape, memoryview(np.ravel(array))) for name, array in arrays.items()}
    spec = {"op": "imputers.nearest", "k": k, "arrays": {name: name for name in arrays}}
    return Nearest(Node(spec, ("n" * points.shape[1],), tensors))


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 6),
    on_grid=st.booleans(),
    scale=st.sampled_from([1.0, 1e-160, 1e8, 1e200]),
    offset=st.sampled_from([0.0, 1e6, -1e15]),
    missing=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_a_batch_is_filled_as_its_rows_are(seed: int, k: int, on_grid: bool, scale: float, offset: float, missing: float) -> None:
    rng = np.random.default_rng(seed)
    width, count = int(rng.integers(1, 6)), int(rng.integers(1, 80))
    shape = (count + 15, width)
    values = (rng.integers(-2, 3, shape).astype(float) if on_grid else rng.normal(size=shape)) * scale + offset
    values[rng.random(shape) < missing] = np.nan
    op, rows = nearest(values[:count], k), values[count:]
    expected = np.array([op.row(row) for row in rows.tolist()])
    with np.errstate(all="ignore"):
        assert op.batch(rows).tobytes() == expected.tobytes()


def test_few_training_rows_are_measured() -> None:
    rng = np.random.default_rng(0)
    points, rows = rng.normal(size=(2000, 8)), rng.normal(size=(50, 8))
    points[rng.random(points.shape) < 0.1] = np.nan
    rows[:, 3] = rows[::2, 5] = np.nan
    few = nearest(points, 5)._candidates(rows)
    assert few.sum(axis=1).min() >= 5 and few.sum(axis=1).max() < 20


def test_a_batch_of_predicted_values_is_kept_within_its_limits() -> None:
    arrays = {"limits": Tensor("F64", (2,), memoryview(np.array([-1.0, 1.0])))}
    op = Merge(Node({"op": "imputers.merge", "position": 1, "arrays": {"limits": "limits"}}, ("nn", "nn", "n"), arrays))
    x = np.array([[1.0, np.nan]] * 4 + [[1.0, 2.0]])
    filled, predicted = np.arange(10.0).reshape(5, 2), np.array([[0.5], [-7.0], [7.0], [np.nan], [0.5]])
    expected = [op.row(*rows) for rows in zip(x.tolist(), filled.tolist(), predicted.tolist(), strict=True)]
    np.testing.assert_array_equal(op.batch(x, filled, predicted), expected)
    assert expected[0] == [0.0, 0.5] and expected[1][1] == -1.0 and expected[4] == [8.0, 9.0]
