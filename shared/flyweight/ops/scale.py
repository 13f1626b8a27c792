"""Scale columns by elementwise arithmetic in the order of scikit-learn's scalers, so that answers are equal bit for bit."""

from _operator import sub
from math import sqrt

from flyweight.ops._arithmetic import dot, total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Center:
    """`(x - subtract) / divide`, each step only where the array is there (StandardScaler, RobustScaler, MaxAbsScaler).

    :raises ModelRefused: an array does not have one number a column, or `divide` has a zero.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        # x - 0.0 is x, bit for bit, and so is x / 1.0
        self._subtract = node.floats("subtract", width) if node.has("subtract") else [0.0] * width
        self._divide = node.floats("divide", width) if node.has("divide") else None
        node.expect(self._divide is None or 0.0 not in self._divide, "'divide' has a zero")

    def row(self, x: "list[float]") -> "list[float]":
        """Return the centered and scaled values."""
        if self._divide is None:
            return [*map(sub, x, self._subtract)]
        return [(v - s) / d for v, s, d in zip(x, self._subtract, self._divide)]  # noqa: B905 - strict=True takes a third longer

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        subtract, divide = self._arrays
        y = x - subtract
        y /= divide
        return y

    @cached_property
    def _arrays(self) -> "tuple[Any, Any]":
        import numpy as np

        return np.array(self._subtract, dtype=float), np.array(1.0 if self._divide is None else self._divide, dtype=float)


class Stretch:
    """`x * multiply + add`, then kept within `limits` if the array is there (MinMaxScaler).

    :raises ModelRefused: an array does not have one number a column, or `limits` not two.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._multiply, self._add = node.floats("multiply", width), node.floats("add", width)
        self._limits = node.floats("limits", 2) if node.has("limits") else None

    def row(self, x: "list[float]") -> "list[float]":
        """Return the stretched values."""
        y = [v * m + a for v, m, a in zip(x, self._multiply, self._add)]  # noqa: B905 - strict=True takes a third longer
        if self._limits is None:
            return y
        low, high = self._limits
        # comparisons with a missing value are false, so that it stays, as np.clip lets it
        return [low if v < low else high if v > high else v for v in y]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        multiply, add = self._arrays
        y = x * multiply + add
        if self._limits is None:
            return y
        low, high = self._limits
        return np.where(y < low, low, np.where(y > high, high, y))

    @cached_property
    def _arrays(self) -> "tuple[Any, Any]":
        import numpy as np

        return np.array(self._multiply, dtype=float), np.array(self._add, dtype=float)


class Clip:
    """Each number kept within its column's `low` and `high`; a missing one stays missing.

    :raises ModelRefused: an array does not have one number a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._low, self._high = node.floats("low", width), node.floats("high", width)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the numbers, kept within the limits."""
        return [low if v < low else high if v > high else v for v, low, high in zip(x, self._low, self._high, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        low, high = np.array(self._low, dtype=float), np.array(self._high, dtype=float)
        return np.where(x < low, low, np.where(x > high, high, x))


# ten times the spacing of doubles at 1: scikit-learn takes a smaller norm for zero (`_handle_zeros_in_scale`)
TINY_NORM = 10 * 2.0**-52


class Normalize:
    """Each row divided by its norm; a row of zeros stays as it is (Normalizer).

    :raises ModelRefused: `norm` is unknown.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        self._norm = node.choice("norm", ("l1", "l2", "max"))

    def row(self, x: "list[float]") -> "list[float]":
        """Return the values over their norm."""
        if self._norm == "l2":
            norm = sqrt(dot(x, x))
        elif self._norm == "l1":
            norm = total(map(abs, x))
        else:
            norm = max(map(abs, x), default=0.0)
        return x if norm < TINY_NORM else [v / norm for v in x]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        if self._norm == "l2":
            norm = np.sqrt((x * x).sum(axis=1, keepdims=True))
        elif self._norm == "l1":
            norm = np.abs(x).sum(axis=1, keepdims=True)
        else:
            norm = np.abs(x).max(axis=1, keepdims=True, initial=0.0)
        return np.where(norm < TINY_NORM, x, x / norm)


OPS = {"center": Center, "stretch": Stretch, "clip": Clip, "normalize": Normalize}
