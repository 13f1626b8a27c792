"""Ops of gradient boosting libraries beside plain sums of trees (`trees.sum`).

Sources: LightGBM 4 (`include/LightGBM/tree.h`, `meta.h`).
"""

from itertools import pairwise
from math import isnan, nan

from flyweight.ops import Over
from flyweight.ops._forest import Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

NEAR_ZERO = 1.0000000180025095e-35  # LightGBM's `kZeroThreshold`: 1e-35 in float32


class _Some(Over):
    """An op that changes the columns at `positions` and leaves the others as they are.

    :raises ModelRefused: a position is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self._positions = node.positions("positions", node.numbers())
        self.kinds = node.only_input()

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get one flag a column: whether it is among the positions."""
        import numpy as np

        flags = np.zeros(len(self.kinds), dtype=bool)
        flags[self._positions] = True
        return (flags,)


class ZeroIsMissing(_Some):
    """NaN in place of zero, and of what LightGBM takes for zero (`zero_as_missing`; `Tree::NumericalDecision`)."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return the columns, zeros as NaN."""
        y = x.copy()
        for position in self._positions:
            if -NEAR_ZERO <= y[position] <= NEAR_ZERO:
                y[position] = nan
        return y

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.where(arrays[0] & (xp.abs(x) <= NEAR_ZERO), nan, x)


class Whole(_Some):
    """Categories given as numbers, cut toward zero as C's cast does (`Tree::CategoricalDecision`).

    A number below zero or beyond an int32 is a category of no model, and becomes NaN.
    """

    def row(self, x: "list[float]") -> "list[float]":
        """Return the columns, cut to whole numbers."""
        y = x.copy()
        for position in self._positions:
            v = y[position]
            y[position] = float(int(v)) if -1.0 < v < 2147483648.0 else nan
        return y

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.where(arrays[0], xp.where((x > -1.0) & (x < 2147483648.0), xp.trunc(x), nan), x)


class SignedSquare(Over):
    """`|x| * x`, which undoes LightGBM's `reg_sqrt` (`RegressionL2loss::ConvertOutput`).

    :raises ModelRefused: the input is not one row of numbers.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()

    def row(self, x: "list[float]") -> "list[float]":
        """Return the signed squares."""
        return [abs(v) * v for v in x]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.abs(x) * x


class LinearLeaves:
    """Trees whose leaves are linear: `constant + sum(coefficient * x)`, or the leaf's plain value where an x is missing.

    Leaf i has the `features` and `coefficients` from `starts[i]` to `starts[i + 1]`. Tree t adds to the output `targets[t]`.

    :raises ModelRefused: the arrays differ in length, an index is out of range, or a tree is damaged.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.leaves = node.floats("leaves", None)
        count = len(self.leaves)
        self.constants = node.floats("constants", count)
        coefficients = node.floats("coefficients", None)
        features = node.indices("features", width, len(coefficients))
        starts = node.indices("starts", len(features) + 1, count + 1)
        rising = all(a <= b for a, b in pairwise(starts))
        node.expect(rising, "'starts' goes down")
        terms = list(zip(features, coefficients, strict=True))
        self.terms = [terms[a:b] for a, b in pairwise(starts)]
        outputs = node.whole("outputs", 1, 10_000)
        self.kinds = "n" * outputs
        self.forest = Forest(node, width, count)
        self.grows = self.forest.grows
        self._targets = node.indices("targets", outputs, self.forest.count)
        node.takes_usual(outputs)
        node.takes(10 * self.forest.count * max(map(len, self.terms), default=0))  # all trees may end in the longest leaf

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum an output."""
        y = [0.0] * len(self.kinds)
        for leaf, target in zip(self.forest.leaves(x), self._targets, strict=True):
            value = self.constants[leaf]
            for feature, coefficient in self.terms[leaf]:
                value += coefficient * x[feature]
            y[target] += self.leaves[leaf] if self.misses(x, leaf) else value
        return y

    def misses(self, x: "list[float]", leaf: int) -> bool:
        """Say whether the row misses a value of a feature that the leaf reads."""
        return any([isnan(x[feature]) for feature, _ in self.terms[leaf]])


OPS = {"zero_is_missing": ZeroIsMissing, "whole": Whole, "signed_square": SignedSquare, "linear_leaves": LinearLeaves}
