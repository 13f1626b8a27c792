"""Combine two columns into one: sums, differences, products, quotients, remainders and powers."""

from _operator import add, mul, sub
from math import inf, nan

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._arithmetic import power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node


def _quotient(a: float, b: float) -> float:
    """Return `a / b`, with the answers of IEEE 754 where b is zero."""
    if b:
        return a / b
    return nan if a != a or not a else a * inf if str(b)[0] != "-" else a * -inf


def _whole_quotient(a: float, b: float) -> float:
    """Return `a // b`; NaN where a is infinite, and a quotient of IEEE 754 where b is zero, as NumPy's."""
    return a // b if b else _quotient(a, b)


def _remainder(a: float, b: float) -> float:
    """Return `a % b`, NaN where none exists."""
    return a % b if b and abs(a) < inf else nan


# name -> the function, NumPy's name of it, and whether every platform rounds it correctly and so alike
FUNCTIONS: "dict[str, tuple[Callable[[float, float], float], str, bool]]" = {
    "add": (add, "add", True),
    "subtract": (sub, "subtract", True),
    "multiply": (mul, "multiply", True),
    "divide": (_quotient, "divide", True),
    "floor_divide": (_whole_quotient, "floor_divide", True),
    "remainder": (_remainder, "remainder", True),
    "power": (power, "power", False),
}


class Apply:
    """A function of two columns: those at `first` with those at `second`, one result for each pair.

    `zero` says what a zero at `second` gives: what the function gives ("any"), a refusal ("refuse"), or the number in `fill`.

    :raises ModelRefused: `function` or `zero` is unknown, a position is out of range or has strings, or the lists differ in
        length.
    """

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        self._first, self._second = node.positions("first", len(kinds)), node.positions("second", len(kinds))
        node.expect(len(self._first) == len(self._second), "'first' and 'second' differ in length")
        read = {kinds[position] for position in (*self._first, *self._second)}
        node.expect(read <= {"n"}, "takes numbers, got strings or a sparse value")
        self.function, self._word, self.exact = FUNCTIONS[node.choice("function", tuple(FUNCTIONS))]
        self._zero = node.choice("zero", ("any", "refuse", "fill"))
        self._fill = node.floats("fill", 1)[0] if self._zero == "fill" else 0.0
        self._names = node.items("names", (str,), len(kinds))
        self.kinds = "n" * len(self._first)

    def pairs(self, x: "list[Any]") -> "list[tuple[float, float]]":
        """Return the pairs of numbers."""
        return [(x[a], x[b]) for a, b in zip(self._first, self._second, strict=True)]

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one result a pair.

        :raises InvalidInput: a number at `second` is zero, and that is refused.
        """
        pairs = self.pairs(x)
        if self._zero == "any":
            return [self.function(a, b) for a, b in pairs]
        if self._zero == "fill":
            return [self.function(a, b) if b else self._fill for a, b in pairs]
        for position, (_, b) in zip(self._second, pairs, strict=True):
            if not b:
                raise InvalidInput(Fault("a number that is not zero", preview(b), feature=self._names[position]))
        return [self.function(a, b) for a, b in pairs]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array.

        :raises InvalidInput: a number at `second` is zero, and that is refused.
        """
        import numpy as np

        a, b = x[:, self._first].astype(float, copy=False), x[:, self._second].astype(float, copy=False)
        zero = b == 0.0
        if self._zero == "refuse" and zero.any():
            raise InvalidInput
        with np.errstate(all="ignore"):
            y = getattr(np, self._word)(a, b)
        return np.where(zero, self._fill, y) if self._zero == "fill" else y


OPS = {"apply": Apply}
