"""Arithmetic that never raises: sums, products, exponentials and powers, with the answers of IEEE 754 on every Python.

The built-in `sum` compensates from Python 3.12 on; `fsum` is exact on all versions.
"""

import sys
from _operator import mul
from math import copysign, fsum, inf, nan
from math import exp as _exp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def total(terms: "Iterable[float]") -> float:
    """Return the correctly rounded sum of `terms`; infinities and overflow give IEEE 754's answers."""
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
        """Return the sum of the products, with the same answers to infinities and overflow; each product is rounded."""
        try:
            return fsum(map(mul, a, b))
        except (OverflowError, ValueError):
            return total(map(mul, a, b))


def exp(v: float) -> float:
    """Return `e ** v`, infinite beyond the largest double."""
    try:
        return _exp(v)
    except OverflowError:
        return inf


def exps(exponents: "list[float]") -> "list[float]":
    """Return `e ** v` of each exponent, infinite beyond the largest double."""
    try:
        return list(map(_exp, exponents))
    except OverflowError:
        return list(map(exp, exponents))


def power(base: float, exponent: float) -> float:
    """Return `base ** exponent`.

    Infinite, with its sign, beyond the largest double; NaN for a fractional power of a negative number.
    """
    try:
        value = base**exponent
    except OverflowError:
        return -inf if base < 0.0 and exponent % 2 == 1 else inf
    except ZeroDivisionError:
        return -inf if copysign(1.0, base) < 0.0 and exponent % 2 == 1 else inf
    return value if isinstance(value, float) else nan  # it is complex
