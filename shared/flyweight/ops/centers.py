"""Clusters' centers, from numbers to the label of the nearest.

Sources: `sklearn.cluster._k_means_lloyd._update_chunk_dense`, `pairwise_distances_argmin`, `BisectingKMeans._predict_recursive`,
scikit-learn 1.9: squared distances are compared as `center^2 - 2 x center`, the first of equals wins.
"""

from functools import cached_property, reduce
from math import isfinite, sqrt

from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

NEAR = 1e-14  # of the terms: what rounding can do to the distances that are compared
SPLIT = 2.0**27 + 1.0


def fused(whole: float, pair: "tuple[float, float]") -> float:
    """`whole` plus the pair's product, rounded once: how BLAS on today's processors adds, and so who wins where data tie."""
    a, b = pair
    product = a * b
    a_high, b_high = SPLIT * a - (SPLIT * a - a), SPLIT * b - (SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low  # Dekker: what rounding took
    return total([product, rest, whole]) if isfinite(rest) else whole + product


def _in_order(center: "list[float]") -> float:
    whole = 0.0
    for v in center:
        whole += v * v
    return whole


class Nearest:
    """The label of the nearest of `centers`, of shape (centers, features); `labels` has one a center, from -1 up."""

    exact = False
    whole = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("centers", "F64", (None, width)).shape[0]
        node.expect(count > 0, "it has no center")
        self._centers = rows_of(node.floats("centers", count, width), count, width)
        self._norms = [dot(center, center) for center in self._centers]
        self._labels: list[int] = node.array("labels", "U8 I16 I32 I64", (count,)).values.tolist()
        self.kinds = "n"

        self._largest = max(self._norms)
        self._pairs = list(zip(self._norms, self._centers, strict=True))

    def row(self, x: "list[float]") -> "list[int]":
        """The label."""
        apart = [norm - 2.0 * dot(center, x) for norm, center in self._pairs]
        least = min(apart)
        near = least + NEAR * (self._largest + abs(least))
        found = [i for i, d in enumerate(apart) if d <= near]
        return [self._labels[found[0] if len(found) == 1 else self._first(x, apart, found)]]

    def _first(self, x: "list[float]", apart: "list[float]", found: "list[int]") -> int:
        """Of those that are equally near but for rounding, the first by the estimator's own rounding; NaN is near to none."""
        if not found:
            return apart.index(min(apart))
        sums = [reduce(fused, zip(self._centers[i], x, strict=True), 0.0) for i in found]
        rounded = [_in_order(self._centers[i]) - 2.0 * s for i, s in zip(found, sums, strict=True)]
        return found[rounded.index(min(rounded))]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        return self._arrays[2][self._all_apart(x).argmin(axis=1)]

    def _all_apart(self, x: "Any") -> "Any":
        centers, norms, _ = self._arrays
        return norms - 2.0 * (x @ centers)

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any]":
        import numpy as np

        return np.array(self._centers).T, np.array(self._norms), np.array(self._labels, dtype=float).reshape(-1, 1)


class Descend(Nearest):
    """The same down a binary tree in preorder: a node's left child is the next node, `right` has the other, 0 at a leaf."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        count = len(self._centers)
        self._right = node.indices("right", count, count)
        node.expect(self._right[-1] == 0, "the last node is not a leaf, so that its left child is missing")
        sound = all([not right or right > i + 1 for i, right in enumerate(self._right)])
        node.expect(sound, "a right child does not come after its node's left child")

    def row(self, x: "list[float]") -> "list[int]":
        """The label of the leaf where the nearer child always led."""
        i = 0
        while self._right[i]:
            left, right = i + 1, self._right[i]
            to_left, to_right = [self._norms[child] - 2.0 * dot(self._centers[child], x) for child in (left, right)]
            i = right if to_right < to_left else left
        return [self._labels[i]]

    def batch(self, x: "Any") -> "Any":
        """The same of each row: all go down together, and one that is at its leaf stays there."""
        import numpy as np

        apart, rights = self._all_apart(x), np.array(self._right)
        rows, at = np.arange(len(x)), np.zeros(len(x), dtype=int)
        while (right := rights[at]).any():
            left = np.where(right > 0, at + 1, 0)
            nearer = np.where(apart[rows, right] < apart[rows, left], right, left)
            at = np.where(right > 0, nearer, at)
        return self._arrays[2][at]


class Distances:
    """The Euclidean distance to each of `centers`, of shape (centers, features): `sqrt(x^2 - 2 x center + center^2)`.

    Source: `sklearn.metrics.pairwise.euclidean_distances`, whose cancellation near a center is its own.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("centers", "F64", (None, width)).shape[0]
        self._centers = rows_of(node.floats("centers", count, width), count, width)
        self._norms = [dot(center, center) for center in self._centers]
        self._pairs = list(zip(self._norms, self._centers, strict=True))
        self.kinds = "n" * count

    def _squares(self, x: "list[float]") -> "list[float]":
        own = dot(x, x)
        return [own - 2.0 * dot(center, x) + norm for norm, center in self._pairs]

    def row(self, x: "list[float]") -> "list[float]":
        """The distances."""
        return [sqrt(square) if not square <= 0.0 else 0.0 for square in self._squares(x)]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The scale for which a bound of 1e-12 is what rounding the terms by 1e-15 does to the root, so much more near zero."""
        own = dot(x, x)
        terms = [1e-15 * (2.0 * own + 2.0 * norm) for norm in self._norms]
        return [1e12 * (term / sqrt(s) if s > term else sqrt(term)) for term, s in zip(terms, self._squares(x), strict=True)]

    def batch(self, x: "Any") -> "Any":
        """The distances of each row."""
        import numpy as np

        centers = np.asarray(self._centers, dtype=float).reshape(-1, x.shape[1])
        squares = (x * x).sum(axis=1, keepdims=True) - 2.0 * (x @ centers.T) + np.asarray(self._norms)
        return np.sqrt(np.maximum(squares, 0.0))


OPS = {"nearest": Nearest, "descend": Descend, "distances": Distances}
