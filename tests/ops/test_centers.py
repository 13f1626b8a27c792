"""The nearest center is the first of equals, and the estimator's own arithmetic decides which are equal."""

from __future__ import annotations

from array import array
from fractions import Fraction
from math import inf, isnan, nan

from hypothesis import example, given
from hypothesis import strategies as st

from flyweight.models.file import Tensor
from flyweight.ops import Node
from flyweight.ops.centers import Nearest, fused

MODERATE = st.floats(-1e100, 1e100, allow_subnormal=False).filter(lambda v: v == 0.0 or abs(v) > 1e-100)


@given(MODERATE, MODERATE, MODERATE)
@example(0.1, 0.1, -0.010000000000000002)
def test_a_product_is_added_with_one_rounding(a: float, b: float, whole: float) -> None:
    assert fused(whole, (a, b)) == float(Fraction(a) * Fraction(b) + Fraction(whole))


@given(st.permutations(range(3)), st.sampled_from([inf, -inf, nan]), st.floats(), st.floats())
@example([2, 0, 1], -inf, 1e308, 10.0)
def test_numbers_that_are_not_finite_are_added_plainly(order: list[int], infinite: float, v: float, w: float) -> None:
    a, b, whole = [[infinite, v, w][place] for place in order]
    result, plain = fused(whole, (a, b)), whole + a * b
    assert result == plain or (isnan(result) and isnan(plain))


def nearest(centers: list[list[float]]) -> Nearest:
    flat = memoryview(array("d", [v for row in centers for v in row]))
    labels = memoryview(bytes(range(len(centers))))
    tensors = {"c": Tensor("F64", (len(centers), len(centers[0])), flat), "l": Tensor("U8", (len(centers),), labels)}
    spec = {"op": "centers.nearest", "output": "y", "arrays": {"centers": "c", "labels": "l"}}
    return Nearest(Node(spec, ("n" * len(centers[0]),), tensors))


def test_the_first_of_equals_wins() -> None:
    op = nearest([[5.0, 5.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])
    assert op.row([1.0, 1.0]) == [1]
    assert op.row([1.5, 1.0]) == [2]


def test_rows_of_nan_have_a_nearest_center_too() -> None:
    """A hostile file can hold them; the first center answers, and nothing raises."""
    assert nearest([[nan, 1.0], [nan, nan]]).row([1.0, 1.0]) == [0]
