"""Elementwise arithmetic, in the order in which the scalers of scikit-learn do it, hence bit for bit."""

from functools import cached_property
from math import sqrt

from flyweight.ops._sums import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Center:
    """`(x - subtract) / divide`, each where the array is there (StandardScaler, RobustScaler, MaxAbsScaler)."""

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        # x - 0.0 and x / 1.0 are x, bit for bit, so that one form serves all
        subtract = node.floats("subtract", width) if node.has("subtract") else [0.0] * width
        divide = node.floats("divide", width) if node.has("divide") else [1.0] * width
        node.expect(0.0 not in divide, "'divide' has a zero")
        self._pairs = list(zip(subtract, divide, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """The centered and scaled values."""
        return [(v - s) / d for v, (s, d) in zip(x, self._pairs, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        subtract, divide = self._arrays
        y = x - subtract
        y /= divide
        return y

    @cached_property
    def _arrays(self) -> "Any":
        return _columns(self._pairs)


class Stretch:
    """`x * multiply + add`, then kept within `limits` where they are given (MinMaxScaler)."""

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._pairs = list(zip(node.floats("multiply", width), node.floats("add", width), strict=True))
        self._limits = node.floats("limits", 2) if node.has("limits") else None

    def row(self, x: "list[float]") -> "list[float]":
        """The stretched values."""
        y = [v * m + a for v, (m, a) in zip(x, self._pairs, strict=True)]
        if self._limits is None:
            return y
        low, high = self._limits
        # comparisons with a missing value are false, so that it passes, as np.clip lets it
        return [low if v < low else high if v > high else v for v in y]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        multiply, add = self._arrays
        y = x * multiply + add
        if self._limits is None:
            return y
        low, high = self._limits
        return np.where(y < low, low, np.where(y > high, high, y))

    @cached_property
    def _arrays(self) -> "Any":
        return _columns(self._pairs)


def _columns(pairs: "list[tuple[float, float]]") -> "Any":
    """Pairs as an array of two rows."""
    import numpy as np

    return np.array(pairs, dtype=float).reshape(len(pairs), 2).T


# Ten times the spacing of doubles at 1: scikit-learn takes a smaller norm for zero (`_handle_zeros_in_scale`).
TINY_NORM = 10 * 2.0**-52


class Normalize:
    """Each row divided by its norm, a row of zeros left alone (Normalizer)."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        self._norm = node.choice("norm", ("l1", "l2", "max"))

    def row(self, x: "list[float]") -> "list[float]":
        """The values over their norm."""
        if self._norm == "l2":
            norm = sqrt(total([v * v for v in x]))
        elif self._norm == "l1":
            norm = total(map(abs, x))
        else:
            norm = max(map(abs, x), default=0.0)
        return x if norm < TINY_NORM else [v / norm for v in x]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        if self._norm == "l2":
            norm = np.sqrt((x * x).sum(axis=1, keepdims=True))
        elif self._norm == "l1":
            norm = np.abs(x).sum(axis=1, keepdims=True)
        else:
            norm = np.abs(x).max(axis=1, keepdims=True, initial=0.0)
        return np.where(norm < TINY_NORM, x, x / norm)


OPS = {"center": Center, "stretch": Stretch, "normalize": Normalize}
