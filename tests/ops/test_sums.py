"""Sums of products are rounded once where the numbers are finite, and IEEE 754's answers where they are not."""

from __future__ import annotations

import sys
from fractions import Fraction
from math import inf, isfinite, isnan, nan, nextafter, ulp

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flyweight.ops._arithmetic import dot, total

LARGEST = sys.float_info.max
MODERATE = st.floats(-1e100, 1e100, allow_subnormal=False).filter(lambda v: v == 0.0 or abs(v) > 1e-100)
ANY = st.floats() | st.integers(-(2**53), 2**53)


def pairs(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[list[tuple[float, float]]]:
    return st.lists(st.tuples(numbers, numbers), max_size=20)


def apart(rows: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [a for a, _ in rows], [b for _, b in rows]


def in_order(terms: list[float]) -> float:
    whole = 0.0
    for term in terms:
        whole += term
    return whole


@given(pairs(MODERATE))
@example([(1.0, 1e16), (1.0, 1.0), (-1.0, 1e16)])
@example([(0.1, 10.0), (-1.0, 1.0)])
def test_a_sum_of_products_is_right_within_a_rounding_of_its_terms(rows: list[tuple[float, float]]) -> None:
    exact = sum((Fraction(a) * Fraction(b) for a, b in rows), Fraction(0))
    scale = sum((abs(Fraction(a) * Fraction(b)) for a, b in rows), Fraction(0))
    error = abs(Fraction(dot(*apart(rows))) - exact)
    rounded = abs(exact) if sys.version_info >= (3, 12) else abs(exact) + scale  # before 3.12 each product is, too
    assert error <= Fraction(2) ** -53 * rounded + Fraction(2) ** -100 * scale


@given(pairs(ANY))
@example([(inf, 1.0), (-inf, 1.0)])
@example([(inf, 0.0)])
@example([(nan, 1.0), (inf, 1.0)])
@example([(LARGEST, 2.0), (-LARGEST, 2.0)])
@example([(LARGEST, 1.0), (LARGEST, 1.0), (-LARGEST, 1.0)])
@example([(-LARGEST, 1.0), (-nextafter(ulp(LARGEST), 0.0), 1.0)])
def test_infinities_and_overflow_give_the_answers_of_ieee_754(rows: list[tuple[float, float]]) -> None:
    """A sum in order may overflow where a better sum does not; where it does not, `dot` does not either."""
    a, b = apart(rows)
    result, plain = dot(a, b), in_order([v * w for v, w in rows])
    if all(isfinite(v) and isfinite(w) for v, w in rows) and not isfinite(plain):
        assert isinstance(result, float)
    elif isfinite(plain):
        assert isfinite(result)
    else:
        assert result == plain or (isnan(result) and isnan(plain))


@given(st.lists(st.floats(), max_size=20))
@example([inf, -inf])
@example([LARGEST, LARGEST, -LARGEST])
def test_a_sum_never_raises_and_is_rounded_once(terms: list[float]) -> None:
    result, plain = total(terms), in_order(terms)
    if isfinite(plain):
        assert result == float(sum(map(Fraction, terms), Fraction(0)))
    elif not all(map(isfinite, terms)):
        assert result == plain or (isnan(result) and isnan(plain))
    else:
        assert isinstance(result, float)


def test_lists_of_different_lengths_are_refused_by_pythons_that_check_them() -> None:
    if sys.version_info < (3, 12):
        assert dot([1.0, 2.0], [3.0]) == 3.0
        return
    with pytest.raises(ValueError, match="length"):
        dot([1.0, 2.0], [3.0])
