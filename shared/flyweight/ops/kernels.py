"""Support vector machines: from numbers to decision values, and from those to votes and probabilities.

Sources: `svm_predict_values`, `svm_predict_probability` and `multiclass_probability` of libsvm as scikit-learn 1.9 carries it
(`sklearn/svm/src/libsvm/svm.cpp`), and `sklearn.utils.multiclass._ovr_decision_function`.
"""

from functools import cached_property
from itertools import accumulate, combinations, pairwise
from operator import mul

from flyweight.ops._kernel import gaussians, of_products
from flyweight.ops._overflow import power
from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

MAX_CLASSES = 1000  # each two of them are a pair


class Machine:
    """`sum of weights * kernel(vector, x) + intercept`, one value; with `counts`, one for each pair of classes.

    `vectors` lie class by class; `weights` have libsvm's shape (classes - 1, vectors): against class j, those of class i stand
    in row j - 1 if i < j, and in row j otherwise.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._kernel = node.choice("kernel", ("linear", "poly", "rbf", "sigmoid"))
        self._gamma, self._coef0 = node.floats("parameters", 2)
        self._degree = node.whole("degree", 0, 1000)
        rows, count = node.array("weights", "F64", (None, None)).shape
        node.expect(0 < rows < MAX_CLASSES, f"'weights' has {rows} rows, where 1 to {MAX_CLASSES - 1} are allowed")
        self._count = count
        self._read_vectors(node, count)
        weights = rows_of(node.floats("weights", rows, count), rows, count)
        if node.has("counts"):
            self._pairs = _pairs(weights, _starts(node, rows + 1, count))
        else:
            node.expect(rows == 1, "'weights' has rows for classes, but no 'counts'")
            self._pairs = [[(0, count, weights[0])]]
        self._intercept = node.floats("intercept", len(self._pairs))
        self.kinds = "n" * len(self._pairs)

    def _read_vectors(self, node: "Node", count: int) -> None:
        self._width = width = node.numbers()
        vectors = rows_of(node.floats("vectors", count, width), count, width)
        self._vectors: list[Any] = [tuple(vector) for vector in vectors] if self._kernel == "rbf" else vectors

    def _terms(self, x: "Any") -> "list[list[float]]":
        """Per vector the terms of its product with the row."""
        return [list(map(mul, vector, x)) for vector in self._vectors]

    def _products(self, x: "Any") -> "list[float]":
        return [dot(vector, x) for vector in self._vectors]

    def _gaussians(self, x: "Any") -> "list[float]":
        """`exp(-gamma * distance ** 2)` of each vector."""
        return gaussians(-self._gamma, x, self._vectors)

    def _values(self, x: "Any") -> "list[float]":
        if self._kernel == "rbf":
            return self._gaussians(x)
        return of_products(self._kernel, self._products(x), self._gamma, self._coef0, self._degree)

    def _scales(self, x: "Any") -> "list[float]":
        """How large the terms of each kernel value are; rbf and sigmoid are below 1 and steep by no more than their argument."""
        if self._kernel == "rbf":
            return [1.0] * self._count
        products = [total(map(abs, terms)) for terms in self._terms(x)]
        if self._kernel == "linear":
            return products
        products = [abs(self._gamma) * product + abs(self._coef0) for product in products]
        return products if self._kernel == "sigmoid" else [power(product, self._degree) for product in products]

    def row(self, x: "Any") -> "list[float]":
        """The decision values."""
        values = self._values(x)
        return [
            total([dot(weights, values[begin:end]) for begin, end, weights in pair]) + intercept
            for pair, intercept in zip(self._pairs, self._intercept, strict=True)
        ]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, self._count, self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        values = self._all_values(x)
        sums = [sum([values[:, begin:end] @ weights for begin, end, weights in pair]) for pair in self._arrays[1]]
        return np.stack(sums, axis=1) + self._intercept

    def _all_values(self, x: "Any") -> "Any":
        import numpy as np

        from flyweight.ops._distances import squares

        vectors = self._arrays[0]
        if self._kernel == "rbf":
            return np.exp(-self._gamma * squares(x, vectors))
        products = x @ vectors.T
        if self._kernel == "linear":
            return products
        products = self._gamma * products + self._coef0
        return np.tanh(products) if self._kernel == "sigmoid" else products**self._degree

    @cached_property
    def _arrays(self) -> "tuple[Any, list[list[tuple[int, int, Any]]]]":
        import numpy as np

        pairs = [[(begin, end, np.array(weights, dtype=float)) for begin, end, weights in pair] for pair in self._pairs]
        return np.array(self._vectors).reshape(self._count, self._width), pairs

    def magnitude(self, x: "Any") -> "list[float]":
        """The sum of the terms' scales."""
        values = self._scales(x)
        return [
            total([abs(term) for begin, end, weights in pair for term in map(mul, weights, values[begin:end])]) + abs(intercept)
            for pair, intercept in zip(self._pairs, self._intercept, strict=True)
        ]


def _starts(node: "Node", classes: int, count: int) -> "list[int]":
    counts = node.indices("counts", count + 1, classes)
    node.expect(sum(counts) == count, "'counts' does not add up to the vectors")
    return [*accumulate(counts, initial=0)]


def _pairs(weights: "list[list[float]]", starts: "list[int]") -> "list[list[tuple[int, int, list[float]]]]":
    spans = list(pairwise(starts))
    return [
        [(*spans[i], weights[j - 1][slice(*spans[i])]), (*spans[j], weights[i][slice(*spans[j])])]
        for i, j in combinations(range(len(spans)), 2)
    ]


class OfPairs:
    """An op over the decision values of all pairs of `classes` classes, in the order 0-1, 0-2, ..., 1-2, ..."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self._classes = node.whole("classes", 2, MAX_CLASSES)
        self._pairs = [*combinations(range(self._classes), 2)]
        node.expect(node.numbers() == len(self._pairs), f"takes {len(self._pairs)} values, one for each pair of classes")
        self.kinds = "n" * self._classes


class Votes(OfPairs):
    """The class that wins most pairs, the first of equals; a value above 0 is a vote for the pair's first class."""

    exact = True
    whole = True

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.kinds = "n"
        self.choices = [self._classes]

    def row(self, x: "list[float]") -> "list[int]":
        """The index."""
        votes = [0] * self._classes
        for place, (i, j) in enumerate(self._pairs):
            votes[i if x[place] > 0.0 else j] += 1
        return [votes.index(max(votes))]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        votes = np.zeros((self._classes, len(x)))
        for won, (i, j) in zip(x.T > 0.0, self._pairs, strict=True):
            votes[i] += won
            votes[j] += ~won
        return votes.argmax(axis=0)[:, None].astype(float)


class Scores(OfPairs):
    """Votes, and the sum of a class's decision values squeezed into a third of a vote either way."""

    def row(self, x: "list[float]") -> "list[float]":
        """One score a class."""
        votes, sums = [0] * self._classes, [0.0] * self._classes
        for place, (i, j) in enumerate(self._pairs):
            v = x[place]
            sums[i] += v
            sums[j] -= v
            votes[j if v < 0.0 else i] += 1
        return [vote + (s / (3.0 * (abs(s) + 1.0))) for vote, s in zip(votes, sums, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        votes, sums = np.zeros((2, self._classes, len(x)))
        for v, (i, j) in zip(x.T, self._pairs, strict=True):
            sums[i] += v
            sums[j] -= v
            votes[i] += ~(v < 0.0)
            votes[j] += v < 0.0
        return (votes + sums / (3.0 * (np.abs(sums) + 1.0))).T


OPS = {"machine": Machine, "votes": Votes, "scores": Scores}
