"""Sums of rounded terms, the same on every Python: `sum` compensates from 3.12 on, `fsum` is exact on all."""

from math import fsum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def total(terms: "Iterable[float]") -> float:
    """The correctly rounded sum of `terms`; infinities and overflow give what IEEE 754 gives, never an exception."""
    terms = list(terms)
    try:
        return fsum(terms)
    except (OverflowError, ValueError):  # a partial sum above the largest double, or inf - inf
        result = 0.0
        for term in terms:
            result += term
        return result
