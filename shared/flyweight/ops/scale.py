"""Scale columns by elementwise arithmetic in the order of scikit-learn's scalers, so that answers are equal bit for bit."""

from _operator import sub
from math import sqrt

from flyweight.ops import Over
from flyweight.ops._arithmetic import dot, total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Center(Over):
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

    def quotients(self) -> "list[tuple[float, float]]":
        """List for each column the numbers that `engines._compiled` writes as code; [] if a column is not divided."""
        return [] if self._divide is None else [*zip(self._subtract, self._divide, strict=True)]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        subtract, divide = arrays
        y = x - subtract
        y /= divide
        return y

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the numbers to subtract and to divide by."""
        import numpy as np

        return np.array(self._subtract, dtype=float), np.array(1.0 if self._divide is None else self._divide, dtype=float)


class Stretch(Over):
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

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        multiply, add = arrays
        y = x * multiply
        y += add
        if self._limits is None:
            return y
        low, high = self._limits
        return xp.where(y < low, low, xp.where(y > high, high, y))

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the numbers to multiply with and to add."""
        import numpy as np

        return np.array(self._multiply, dtype=float), np.array(self._add, dtype=float)


class Clip(Over):
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

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        low, high = arrays
        return xp.where(x < low, low, xp.where(x > high, high, x))

    @cached_property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the lowest and the highest number of each column."""
        import numpy as np

        return np.array(self._low, dtype=float), np.array(self._high, dtype=float)


# ten times the spacing of doubles at 1: scikit-learn takes a smaller norm for zero (`_handle_zeros_in_scale`)
TINY_NORM = 10 * 2.0**-52


class Normalize(Over):
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

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        if not self.kinds:
            return x
        if self._norm == "l2":
            norm = xp.sqrt(xp.sum(x * x, axis=1, keepdims=True))
        elif self._norm == "l1":
            norm = xp.sum(xp.abs(x), axis=1, keepdims=True)
        else:
            norm = xp.max(xp.abs(x), axis=1, keepdims=True)
        return xp.where(norm < TINY_NORM, x, x / norm)


OPS = {"center": Center, "stretch": Stretch, "clip": Clip, "normalize": Normalize}
