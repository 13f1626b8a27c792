"""Multiply by weights and add up."""

from flyweight.ops import Over
from flyweight.ops._arithmetic import dot
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Affine(Over):
    """`weights @ x + intercept`, weights of shape (outputs, features).

    `sums` has for each output its weights and its intercept.

    :raises ModelRefused: `weights` or `intercept` does not fit the input or the other.
    """

    exact = False  # BLAS sums in an order of its own

    def __init__(self, node: "Node") -> None:
        self._width = node.numbers()
        rows = node.rows("weights", None, self._width)
        self.sums = list(zip(rows, node.floats("intercept", len(rows)), strict=True))
        self.kinds = "n" * len(rows)
        self._only = self.sums[0] if len(rows) == 1 else None

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum an output."""
        if self._only is not None:  # a fifth faster than a list of one, and most models have one output
            weights, intercept = self._only
            return [dot(weights, x) + intercept]
        return [dot(weights, x) + intercept for weights, intercept in self.sums]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`: in NumPy by BLAS, as the estimator does."""
        weights, intercept = arrays
        return x @ weights + intercept

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the weights, of shape (features, outputs), and the intercepts."""
        import numpy as np

        weights = np.array([row for row, _ in self.sums], dtype=float).reshape(len(self.sums), self._width)
        return weights.T, np.array([intercept for _, intercept in self.sums], dtype=float)


OPS = {"affine": Affine}
