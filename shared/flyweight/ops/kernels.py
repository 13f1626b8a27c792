"""Support vector machines: from numbers to decision values, and from these to votes and scores.

Sources: `svm_predict_values`, `svm_predict_probability` and `multiclass_probability` of libsvm as scikit-learn 1.9 carries it
(`sklearn/svm/src/libsvm/svm.cpp`), and `sklearn.utils.multiclass._ovr_decision_function`.
"""

from _operator import mul
from itertools import accumulate, combinations, pairwise

from flyweight.ops._arithmetic import dot, total
from flyweight.ops._kernel_values import gaussians, of_products
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MAX_CLASSES = 1000  # each two classes are a pair


class Machine:
    """`sum of weights * kernel(vector, x) + intercept`: one value, or with `counts` one value a pair of classes.

    `vectors` lie class by class. `weights` have libsvm's shape (classes - 1, vectors): against class j, the weights of class i
    stand in row j - 1 if i < j, else in row j. `pairs` has for each value its spans of vectors with their weights.

    :raises ModelRefused: the arrays do not fit each other, or the kernel or a parameter is out of range.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kernel = node.choice("kernel", ("linear", "poly", "rbf", "sigmoid"))
        self.gamma, self.coef0 = node.floats("parameters", 2)
        self.degree = node.whole("degree", 0, 1000)
        rows, count = node.array("weights", "F64", (None, None)).shape
        node.expect(0 < rows < MAX_CLASSES, f"'weights' has {rows} rows, where 1 to {MAX_CLASSES - 1} are allowed")
        self.count = count
        self._read_vectors(node, count)
        weights = node.rows("weights", rows, count)
        if node.has("counts"):
            count_of_pairs = rows * (rows + 1) // 2
            node.takes_usual(count_of_pairs)
            node.takes(100 * count_of_pairs, values=8 * count_of_pairs)
            self.pairs = _pairs(weights, _starts(node, rows + 1, count))
        else:
            node.expect(rows == 1, "'weights' has rows for classes, but no 'counts'")
            self.pairs = [[(0, count, weights[0])]]
        self.intercept = node.floats("intercept", len(self.pairs))
        self.kinds = "n" * len(self.pairs)

    def _read_vectors(self, node: "Node", count: int) -> None:
        self._width = node.numbers()
        vectors = node.rows("vectors", count, self._width)
        self._vectors: list[Any] = [tuple(vector) for vector in vectors] if self.kernel == "rbf" else vectors

    def terms(self, x: "Any") -> "list[list[float]]":
        """Return for each vector the terms of its product with the row."""
        return [list(map(mul, vector, x)) for vector in self._vectors]

    def _products(self, x: "Any") -> "list[float]":
        return [dot(vector, x) for vector in self._vectors]

    def _gaussians(self, x: "Any") -> "list[float]":
        """Return `exp(-gamma * distance ** 2)` of each vector."""
        return gaussians(-self.gamma, x, self._vectors)

    def _values(self, x: "Any") -> "list[float]":
        """Return the kernel's value of each vector."""
        if self.kernel == "rbf":
            return self._gaussians(x)
        return of_products(self.kernel, self._products(x), self.gamma, self.coef0, self.degree)

    def row(self, x: "Any") -> "list[float]":
        """Return one decision value a pair of classes."""
        values = self._values(x)
        return [
            total([dot(weights, values[begin:end]) for begin, end, weights in pair]) + intercept
            for pair, intercept in zip(self.pairs, self.intercept, strict=True)
        ]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, self.count, self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        values = self._all_values(x)
        y = np.empty((len(values), len(self.pairs)))
        for place, pair in enumerate(self._arrays[1]):
            y[:, place] = sum([values[:, begin:end] @ weights for begin, end, weights in pair])
        return y + self.intercept

    def _all_values(self, x: "Any") -> "Any":
        import numpy as np

        from flyweight.ops._distances import squares
        from flyweight.ops._kernel_values import all_of_products

        vectors = self._arrays[0]
        if self.kernel == "rbf":
            return np.exp(-self.gamma * squares(x, vectors))
        return all_of_products(self.kernel, x @ vectors.T, self.gamma, self.coef0, self.degree)

    @cached_property
    def _arrays(self) -> "tuple[Any, list[list[tuple[int, int, Any]]]]":
        import numpy as np

        pairs = [[(begin, end, np.array(weights, dtype=float)) for begin, end, weights in pair] for pair in self.pairs]
        return np.array(self._vectors).reshape(self.count, self._width), pairs


def _starts(node: "Node", classes: int, count: int) -> "list[int]":
    """Return where each class's vectors begin, and the end.

    :raises ModelRefused: `counts` does not add up to the number of vectors.
    """
    counts = node.indices("counts", count + 1, classes)
    node.expect(sum(counts) == count, "'counts' does not add up to the vectors")
    return [*accumulate(counts, initial=0)]


def _pairs(weights: "list[list[float]]", starts: "list[int]") -> "list[list[tuple[int, int, list[float]]]]":
    """Return for each pair of classes the two spans of vectors with their weights, without those that are empty."""
    spans = list(pairwise(starts))
    return [
        [(begin, end, weights[row][begin:end]) for row, (begin, end) in ((j - 1, spans[i]), (i, spans[j])) if begin < end]
        for i, j in combinations(range(len(spans)), 2)
    ]


class OfPairs:
    """An op over the decision values of all pairs of `classes` classes, in the order 0-1, 0-2, ..., 1-2, ...

    :raises ModelRefused: the input does not have one column a pair.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._classes = node.whole("classes", 2, MAX_CLASSES)
        count = self._classes * (self._classes - 1) // 2
        node.expect(node.numbers() == count, f"takes {count} values, one for each pair of classes")
        node.takes(20 * count, values=3 * count)
        self._pairs = [*combinations(range(self._classes), 2)]
        self.kinds = "n" * self._classes


class Votes(OfPairs):
    """The index of the class that wins most pairs, the first of equals; a value above 0 votes for the pair's first class."""

    exact = True
    whole = True

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = "n"
        self.choices = [self._classes]

    def row(self, x: "list[float]") -> "list[int]":
        """Return the one index."""
        votes = [0] * self._classes
        for place, (i, j) in enumerate(self._pairs):
            votes[i if x[place] > 0.0 else j] += 1
        return [votes.index(max(votes))]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        votes = np.zeros((self._classes, len(x)))
        for won, (i, j) in zip(x.T > 0.0, self._pairs, strict=True):
            votes[i] += won
            votes[j] += ~won
        return votes.argmax(axis=0)[:, None].astype(float)


class Scores(OfPairs):
    """The votes for each class, plus the sum of its decision values, squeezed into a third of a vote either way."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return one score a class."""
        votes, sums = [0] * self._classes, [0.0] * self._classes
        for place, (i, j) in enumerate(self._pairs):
            v = x[place]
            sums[i] += v
            sums[j] -= v
            votes[j if v < 0.0 else i] += 1
        return [vote + (s / (3.0 * (abs(s) + 1.0))) for vote, s in zip(votes, sums, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        votes, sums = np.zeros((2, self._classes, len(x)))
        for v, (i, j) in zip(x.T, self._pairs, strict=True):
            sums[i] += v
            sums[j] -= v
            votes[i] += ~(v < 0.0)
            votes[j] += v < 0.0
        return (votes + sums / (3.0 * (np.abs(sums) + 1.0))).T


OPS = {"machine": Machine, "votes": Votes, "scores": Scores}
