"""What gradient boosting libraries do beside plain sums of trees (`trees.sum`).

Sources: LightGBM 4 (`include/LightGBM/tree.h`, `meta.h`).
"""

from itertools import pairwise
from math import isnan, nan

from flyweight.ops._forest import Forest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Array = np.ndarray[Any, Any]

NEAR_ZERO = 1.0000000180025095e-35  # LightGBM's `kZeroThreshold`: 1e-35 in float32


class _Some:
    """An op that changes the columns at `positions` and leaves the others as they are."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self._positions = node.positions("positions", node.numbers())
        self.kinds = node.only_input()


class ZeroIsMissing(_Some):
    """Zero, and what LightGBM takes for it, becomes NaN (`zero_as_missing`; `Tree::NumericalDecision`)."""

    def row(self, x: "list[float]") -> "list[float]":
        """The columns."""
        y = x.copy()
        for position in self._positions:
            if -NEAR_ZERO <= y[position] <= NEAR_ZERO:
                y[position] = nan
        return y

    def batch(self, x: "Array") -> "Array":
        """The columns of many rows."""
        import numpy as np

        y = x.copy()
        y[:, self._positions] = np.where(np.abs(y[:, self._positions]) <= NEAR_ZERO, nan, y[:, self._positions])
        return y


class Whole(_Some):
    """Categories that came as numbers, cut toward zero as C's cast does (`Tree::CategoricalDecision`).

    Below zero, and beyond an int32, is no category of any model: NaN.
    """

    def row(self, x: "list[float]") -> "list[float]":
        """The columns."""
        y = x.copy()
        for position in self._positions:
            v = y[position]
            y[position] = float(int(v)) if -1.0 < v < 2147483648.0 else nan
        return y

    def batch(self, x: "Array") -> "Array":
        """The columns of many rows."""
        import numpy as np

        y, v = x.copy(), x[:, self._positions]
        y[:, self._positions] = np.where((v > -1.0) & (v < 2147483648.0), np.trunc(v), nan)
        return y


class SignedSquare:
    """`|x| * x`: what undoes LightGBM's `reg_sqrt` (`RegressionL2loss::ConvertOutput`)."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()

    def row(self, x: "list[float]") -> "list[float]":
        """The squares."""
        return [abs(v) * v for v in x]


class LinearLeaves:
    """Trees whose leaves are linear: `constant + sum(coefficient * x)`, or the leaf's plain value where one x is missing.

    Leaf i has the `features` and `coefficients` from `starts[i]` to `starts[i + 1]`. Trees add to `targets`.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._leaves = node.floats("leaves", None)
        count = len(self._leaves)
        self._constants = node.floats("constants", count)
        coefficients = node.floats("coefficients", None)
        features = node.indices("features", width, len(coefficients))
        starts = node.indices("starts", len(features) + 1, count + 1)
        rising = all(a <= b for a, b in pairwise(starts))
        node.expect(rising, "'starts' goes down")
        terms = list(zip(features, coefficients, strict=True))
        self._terms = [terms[a:b] for a, b in pairwise(starts)]
        outputs = node.whole("outputs", 1, 10_000)
        self.kinds = "n" * outputs
        self._forest = Forest(node, width, count)
        self._targets = node.indices("targets", outputs, self._forest.count)

    def row(self, x: "list[float]") -> "list[float]":
        """The sums."""
        y = [0.0] * len(self.kinds)
        for leaf, target in zip(self._forest.leaves(x), self._targets, strict=True):
            value = self._constants[leaf]
            for feature, coefficient in self._terms[leaf]:
                value += coefficient * x[feature]
            y[target] += self._leaves[leaf] if self._lacks(x, leaf) else value
        return y

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values (for parity only), an upper bound for each output."""
        parts = [abs(self._leaves[leaf]) + abs(self._constants[leaf]) + self._size(x, leaf) for leaf in self._forest.leaves(x)]
        return [sum(parts)] * len(self.kinds)

    def _lacks(self, x: "list[float]", leaf: int) -> bool:
        return any([isnan(x[feature]) for feature, _ in self._terms[leaf]])

    def _size(self, x: "list[float]", leaf: int) -> float:
        return 0.0 if self._lacks(x, leaf) else sum([abs(coefficient * x[feature]) for feature, coefficient in self._terms[leaf]])


OPS = {"zero_is_missing": ZeroIsMissing, "whole": Whole, "signed_square": SignedSquare, "linear_leaves": LinearLeaves}
