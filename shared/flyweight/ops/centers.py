"""Clusters' centers, from numbers to the label of the nearest.

Sources: `sklearn.cluster._k_means_lloyd._update_chunk_dense`, `pairwise_distances_argmin`, `BisectingKMeans._predict_recursive`,
scikit-learn 1.9: squared distances are compared as `center^2 - 2 x center`, the first of equals wins.
"""

from operator import mul

from flyweight.ops._sums import total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class Nearest:
    """The label of the nearest of `centers`, of shape (centers, features); `labels` has one a center, from -1 up."""

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("centers", "F64", (None, width)).shape[0]
        node.expect(count > 0, "it has no center")
        self._centers = rows_of(node.floats("centers", count, width), count, width)
        self._norms = [total(map(mul, center, center)) for center in self._centers]
        self._labels: list[int] = node.array("labels", "U8 I16 I32 I64", (count,)).values.tolist()
        self.kinds = "n"

    def _apart(self, x: "list[float]", center: int) -> float:
        return self._norms[center] - 2.0 * total(map(mul, self._centers[center], x))

    def row(self, x: "list[float]") -> "list[int]":
        """The label."""
        apart = [self._apart(x, center) for center in range(len(self._centers))]
        return [self._labels[apart.index(min(apart))]]


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
            i = right if self._apart(x, right) < self._apart(x, left) else left
        return [self._labels[i]]


OPS = {"nearest": Nearest, "descend": Descend}
