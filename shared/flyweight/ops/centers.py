"""Find the nearest of clusters' centers, or the distance to each.

Sources: `sklearn.cluster._k_means_lloyd._update_chunk_dense`, `pairwise_distances_argmin`, `BisectingKMeans._predict_recursive`,
scikit-learn 1.9: squared distances are compared as `center^2 - 2 x center`, and the first of equals wins.
"""

from functools import reduce
from math import isfinite, sqrt

from flyweight.ops._arithmetic import dot, total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

NEAR = 1e-14  # by how much, relative to the terms, rounding can change the distances that are compared
SPLIT = 2.0**27 + 1.0


def fused(whole: float, pair: "tuple[float, float]") -> float:
    """Add the pair's product to `whole`, rounded once, as BLAS on today's processors does; it decides between tied centers."""
    a, b = pair
    product = a * b
    a_high, b_high = SPLIT * a - (SPLIT * a - a), SPLIT * b - (SPLIT * b - b)
    a_low, b_low = a - a_high, b - b_high
    # the rounding error of the product (Dekker)
    rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return total([product, rest, whole]) if isfinite(rest) else whole + product


def _in_order(center: "list[float]") -> float:
    """Return the sum of squares, added one after the other."""
    whole = 0.0
    for v in center:
        whole += v * v
    return whole


class Nearest:
    """The label of the nearest of `centers`, of shape (centers, features); `labels` has one label a center, from -1 up.

    :raises ModelRefused: there is no center, or `labels` does not have one label a center.
    """

    exact = False
    whole = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._centers = node.rows("centers", None, width)
        node.expect(len(self._centers) > 0, "it has no center")
        self._norms = [dot(center, center) for center in self._centers]
        self._labels: list[int] = node.array("labels", "U8 I16 I32 I64", (len(self._centers),)).values.tolist()
        self.kinds = "n"
        self._largest = max(self._norms)
        self._pairs = list(zip(self._norms, self._centers, strict=True))

    def row(self, x: "list[float]") -> "list[int]":
        """Return the one label."""
        apart = [norm - 2.0 * dot(center, x) for norm, center in self._pairs]
        least = min(apart)
        limit = least + NEAR * (self._largest + abs(least))
        near = [i for i, d in enumerate(apart) if d <= limit]
        return [self._labels[near[0] if len(near) == 1 else self._first(x, apart, near)]]

    def _first(self, x: "list[float]", apart: "list[float]", near: "list[int]") -> int:
        """Return the center that the estimator's own rounding finds first among those that are equally near but for rounding.

        :param apart: the numbers that are compared, one a center.
        :param near: those centers; none where the row has NaN.
        """
        if not near:
            return apart.index(min(apart))
        sums = [reduce(fused, zip(self._centers[i], x, strict=True), 0.0) for i in near]
        rounded = [_in_order(self._centers[i]) - 2.0 * s for i, s in zip(near, sums, strict=True)]
        return near[rounded.index(min(rounded))]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return self._arrays[2][self._all_apart(x).argmin(axis=1)]

    def _all_apart(self, x: "Any") -> "Any":
        centers, norms, _ = self._arrays
        return norms - 2.0 * (x @ centers)

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any]":
        import numpy as np

        return np.array(self._centers).T, np.array(self._norms), np.array(self._labels, dtype=float).reshape(-1, 1)


class Descend(Nearest):
    """The label of the leaf that the nearer child leads to, down a binary tree of centers in preorder.

    A node's left child is the next node; `right` has its right child, 0 at a leaf.

    :raises ModelRefused: there is no center, or `right` is not such a tree.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        count = len(self._centers)
        self._right = node.indices("right", count, count)
        node.expect(self._right[-1] == 0, "the last node is not a leaf, so that its left child is missing")
        ordered = all([not right or right > i + 1 for i, right in enumerate(self._right)])
        node.expect(ordered, "a right child does not come after its node's left child")

    def row(self, x: "list[float]") -> "list[int]":
        """Return the one label."""
        i = 0
        while self._right[i]:
            left, right = i + 1, self._right[i]
            to_left, to_right = [self._norms[child] - 2.0 * dot(self._centers[child], x) for child in (left, right)]
            i = right if to_right < to_left else left
        return [self._labels[i]]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array: all go down together, and a row that is at its leaf stays there."""
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

    Source: `sklearn.metrics.pairwise.euclidean_distances`; near a center the terms cancel as they do there.

    :raises ModelRefused: `centers` is missing, or has another width than the row.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._centers = node.rows("centers", None, node.numbers())
        self.norms = [dot(center, center) for center in self._centers]
        self._pairs = list(zip(self.norms, self._centers, strict=True))
        self.kinds = "n" * len(self._centers)

    def squares(self, x: "list[float]") -> "list[float]":
        """Return the squared distances; rounding may make one negative."""
        own = dot(x, x)
        return [own - 2.0 * dot(center, x) + norm for norm, center in self._pairs]

    def row(self, x: "list[float]") -> "list[float]":
        """Return one distance a center."""
        return [sqrt(square) if not square <= 0.0 else 0.0 for square in self.squares(x)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        centers = np.asarray(self._centers, dtype=float).reshape(len(self._centers), x.shape[1])
        squares = (x * x).sum(axis=1, keepdims=True) - 2.0 * (x @ centers.T) + np.asarray(self.norms)
        return np.sqrt(np.maximum(squares, 0.0))


OPS = {"nearest": Nearest, "descend": Descend, "distances": Distances}
