"""Sums of rounded terms, the same on every Python: `sum` compensates from 3.12 on, `fsum` is exact on all."""

import sys
from math import fsum
from operator import mul

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


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


if sys.version_info >= (3, 12):
    from math import sumprod as dot  # lists of floats: products in twice the precision, their sum rounded once
else:

    def dot(a: "Collection[float]", b: "Collection[float]") -> float:
        """The sum of the products, with the same answers to infinities and overflow; before 3.12 each product is rounded."""
        try:
            return fsum(map(mul, a, b))
        except (OverflowError, ValueError):
            return total(map(mul, a, b))
