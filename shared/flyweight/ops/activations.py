"""What a layer of a neural network does to each of its sums (`sklearn.neural_network._base.ACTIVATIONS`, scikit-learn 1.9)."""

from math import exp, tanh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Relu:
    """`max(x, 0)`."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()

    def row(self, x: "list[float]") -> "list[float]":
        """One number each; NaN stays, as np.maximum lets it."""
        return [0.0 if v < 0.0 else v for v in x]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return np.maximum(x, 0.0)


class Tanh(Relu):
    """`tanh(x)`."""

    exact = False

    def row(self, x: "list[float]") -> "list[float]":
        """One number each."""
        return list(map(tanh, x))

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        return np.tanh(x)


class Logistic(Tanh):
    """`1 / (1 + exp(-x))`."""

    def row(self, x: "list[float]") -> "list[float]":
        """One number each."""
        try:
            return [1.0 / (1.0 + exp(-v)) for v in x]
        except OverflowError:  # a number below -709
            return [_logistic(v) for v in x]

    def batch(self, x: "Any") -> "Any":
        """The same of each row; an infinite exp makes 0."""
        import numpy as np

        return 1.0 / (1.0 + np.exp(-x))


def _logistic(v: float) -> float:
    e = exp(-abs(v))
    return e / (1.0 + e) if v < 0.0 else 1.0 / (1.0 + e)


OPS = {"relu": Relu, "tanh": Tanh, "logistic": Logistic}
