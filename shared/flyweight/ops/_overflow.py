"""Functions that give what IEEE 754 and NumPy give where Python's own raise, so that no row ends in an exception."""

from math import exp as _exp
from math import inf, nan


def exp(v: float) -> float:
    """`e ** v`; infinite beyond the largest double."""
    try:
        return _exp(v)
    except OverflowError:
        return inf


def power(base: float, exponent: float) -> float:
    """`base ** exponent`; infinite, with its sign, beyond the largest double; NaN for a fraction's power of a negative number."""
    try:
        value = base**exponent
    except OverflowError:
        return -inf if base < 0.0 and exponent % 2 == 1 else inf
    except ZeroDivisionError:
        return inf
    return value if isinstance(value, float) else nan  # it is complex
