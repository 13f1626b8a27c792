"""Activations: functions of each sum of a neural network's layer (`sklearn.neural_network._base.ACTIVATIONS`, 1.9)."""

from math import exp, tanh

from flyweight.ops import Over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Relu(Over):
    """`max(x, 0)`.

    :raises ModelRefused: the input is not one row of numbers.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.takes(30 * len(self.kinds) + 50)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one number a column; NaN stays, as np.maximum lets it."""
        return [0.0 if v < 0.0 else v for v in x]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.maximum(x, 0.0)


class Tanh(Relu):
    """`tanh(x)`.

    :raises ModelRefused: the input is not one row of numbers.
    """

    exact = False

    def row(self, x: "list[float]") -> "list[float]":
        """Return one number a column."""
        return list(map(tanh, x))

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.tanh(x)


class Logistic(Tanh):
    """`1 / (1 + exp(-x))`.

    :raises ModelRefused: the input is not one row of numbers.
    """

    def row(self, x: "list[float]") -> "list[float]":
        """Return one number a column."""
        try:
            return [1.0 / (1.0 + exp(-v)) for v in x]
        except OverflowError:  # a number below -709
            return [_logistic(v) for v in x]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`; an infinite exp makes 0."""
        return 1.0 / (1.0 + xp.exp(-x))


def _logistic(v: float) -> float:
    e = exp(-abs(v))
    return e / (1.0 + e) if v < 0.0 else 1.0 / (1.0 + e)


OPS = {"relu": Relu, "tanh": Tanh, "logistic": Logistic}
