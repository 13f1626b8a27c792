"""Multiply features with each other."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Expand:
    """Products of features: each term is a feature (`factor`) times an earlier term (`parent`, -1 for no term).

    The products are made in scikit-learn's order. With `bias` the first term, number 0, is 1.0.

    :raises ModelRefused: `parent` or `factor` is out of range, or they differ in length.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._bias = node.choice("bias", (True, False))
        factors = node.indices("factor", width, None)
        parents = node.array("parent", "I32", (len(factors),)).values.tolist()
        for term, parent in enumerate(parents, start=int(self._bias)):
            node.expect(-1 <= parent < term, "a term's parent does not come before it")
        self._terms = list(zip(parents, factors, strict=True))
        self.kinds = "n" * (len(factors) + int(self._bias))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one product a term."""
        y = [1.0] if self._bias else []
        for parent, factor in self._terms:
            y.append(x[factor] if parent < 0 else y[parent] * x[factor])
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array; a term lies in one piece, which is quicker to multiply."""
        import numpy as np

        columns = np.ascontiguousarray(x.T)
        y = np.ones((len(self.kinds), len(x)))
        for term, (parent, factor) in enumerate(self._terms, start=int(self._bias)):
            np.multiply(1.0 if parent < 0 else y[parent], columns[factor], out=y[term])
        return y.T


OPS = {"expand": Expand}
