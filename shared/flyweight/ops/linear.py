"""Weighted sums."""

from functools import cached_property

from flyweight.ops._sums import dot, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Affine:
    """`weights @ x + intercept`, weights of shape (outputs, features)."""

    exact = False  # BLAS sums in an order of its own

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        outputs = node.array("weights", "F64", (None, width)).shape[0]
        flat = node.floats("weights", outputs, width)
        rows = [flat[start : start + width] for start in range(0, outputs * width, width)] if width else [[]] * outputs
        self._rows = list(zip(rows, node.floats("intercept", outputs), strict=True))
        self.kinds = "n" * outputs
        self._width = width
        self._only = self._rows[0] if outputs == 1 else None

    def row(self, x: "list[float]") -> "list[float]":
        """One sum an output."""
        if self._only is not None:  # a fifth faster than a list of one, and most models have one output
            weights, intercept = self._only
            return [dot(weights, x) + intercept]
        return [dot(weights, x) + intercept for weights, intercept in self._rows]

    def batch(self, x: "Any") -> "Any":
        """The same by BLAS, as the estimator does it."""
        weights, intercept = self._arrays
        return x @ weights + intercept

    @cached_property
    def _arrays(self) -> "tuple[Any, Any]":
        import numpy as np

        weights = np.array([row for row, _ in self._rows], dtype=float).reshape(len(self._rows), self._width)
        return weights.T, np.array([intercept for _, intercept in self._rows], dtype=float)

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values, one an output."""
        return [total(abs(w * v) for w, v in zip(weights, x, strict=True)) + abs(b) for weights, b in self._rows]


OPS = {"affine": Affine}
