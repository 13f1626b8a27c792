"""B-splines: the batch form takes the steps of the row form, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyweight.errors import InvalidInput
from flyweight.models.file import Tensor
from flyweight.ops import Node
from flyweight.ops.splines import MISSING, OUTSIDE, Basis

Array = np.ndarray[Any, Any]


def basis(knots: Array, degree: int, outside: str, missing: str = "zeros") -> Basis:
    width, count = knots.shape
    splines = count - degree - 1 - (degree if outside == "periodic" else 0)
    arrays = {"knots": knots}
    if outside == "linear":
        arrays["slopes"] = np.random.default_rng(1).normal(size=(width, 2, splines))
    tensors = {name: Tensor("F64", array.shape, memoryview(np.ravel(array))) for name, array in arrays.items()}
    names = [f"x{place}" for place in range(width)]
    spec = {"op": "splines.basis", "degree": degree, "outside": outside, "missing": missing, "names": names}
    return Basis(Node({**spec, "arrays": {name: name for name in arrays}}, ("n" * width,), tensors))


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    degree=st.integers(0, 4),
    width=st.integers(1, 3),
    outside=st.sampled_from([one for one in OUTSIDE if one != "error"]),
    on_grid=st.booleans(),
)
def test_a_batch_has_the_bits_of_its_rows(seed: int, degree: int, width: int, outside: str, on_grid: bool) -> None:
    rng = np.random.default_rng(seed)
    knots = np.sort(
        rng.integers(-3, 4, (width, 3 * degree + 5)).astype(float) if on_grid else rng.normal(size=(width, 3 * degree + 5))
    )
    op = basis(knots, degree, outside)
    rows = np.concatenate([rng.integers(-5, 6, (20, width)).astype(float), rng.normal(size=(20, width)), -np.zeros((1, width))])
    rows[rng.random(rows.shape) < 0.1] = np.nan
    with np.errstate(all="ignore"):
        found = op.batch(rows)
    expected = np.array([op.row(row) for row in rows.tolist()]).reshape(found.shape)
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize(("outside", "value"), [("error", 9.0), ("constant", np.nan)])
def test_a_batch_with_a_refused_number_is_refused(outside: str, value: float) -> None:
    op = basis(np.arange(8.0)[None], 3, outside, MISSING[0])
    op.batch(np.array([[3.5]]))
    with pytest.raises(InvalidInput):
        op.batch(np.array([[3.5], [value]]))
