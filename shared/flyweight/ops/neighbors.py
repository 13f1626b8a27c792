"""Answer from the nearest training points: shares of classes, means of targets, or how far out a row lies.

Sources: `KNeighborsClassifier.predict_proba`, `KNeighborsRegressor.predict`, their `Radius` kin,
`LocalOutlierFactor.score_samples` and `sklearn.neighbors._base._get_weights`, scikit-learn 1.9.
"""

from itertools import accumulate
from math import isinf, nan

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._arithmetic import total
from flyweight.ops._lazy import cached_property
from flyweight.ops._neighbors import Search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class _Searching:
    """An op whose batch form compares all points at once; rows in doubt are answered by the row form."""

    exact = False
    kinds: str
    _search: Search
    _lonely: "list[float] | None" = None  # the answer of a row without neighbors
    _each = 0  # the numbers that are taken at once from the neighbors of a row

    if TYPE_CHECKING:

        def row(self, x: list[float]) -> list[float]:
            """Answer one instance; each op has its own."""
            ...

        def answers(self, distances: Any, positions: Any) -> Any:
            """Answer from the neighbors' distances and positions, of shape (rows, k); each op has its own."""
            ...

        def answers_within(self, distances: Any, inside: Any) -> Any:
            """Answer from the distances to all points and which of them count, of shape (rows, points); only for a radius."""
            ...

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, max(self._search.each, self._each), self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        y, doubtful = np.empty((len(x), len(self.kinds))), np.ones(len(x), dtype=bool)
        if self._search.batched and self._search.counted:
            distances, positions, sure = self._search.nearest(x)
            y, doubtful = self.answers(distances, positions), ~sure
        elif self._search.batched:
            distances, inside, sure = self._search.within(x)
            counted = sure & inside.any(axis=1)
            y[counted] = self.answers_within(distances[counted], inside[counted])
            if self._lonely is not None:
                y[sure & ~counted] = self._lonely
            doubtful = ~(counted if self._lonely is None else sure)
        for row in doubtful.nonzero()[0]:
            y[row] = self.row(x[row].tolist())
        return y


class _Weighted(_Searching):
    """Neighbors with weights: each counts once, or with `weights` "distance" by one over its distance.

    Where a neighbor is at distance 0, only such neighbors count.

    :raises ModelRefused: the search or `weights` is not valid.
    """

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._by_distance = node.choice("weights", ("uniform", "distance")) == "distance"

    def weights(self, x: "list[float]") -> "tuple[list[float], list[int]]":
        """Return the neighbors' weights and positions."""
        neighbors = self._search.neighbors(x)
        positions = [i for _, i in neighbors]
        if not self._by_distance:
            return [1.0] * len(neighbors), positions
        if any(isinf(1.0 / d) if d else True for d, _ in neighbors):
            return [float(not d or isinf(1.0 / d)) for d, _ in neighbors], positions
        return [1.0 / d for d, _ in neighbors], positions

    def _all_weights(self, distances: "Any") -> "Any":
        import numpy as np

        if not self._by_distance:
            return np.ones_like(distances)
        weights = 1.0 / distances
        at_zero = np.isinf(weights)
        return np.where(at_zero.any(axis=1, keepdims=True), at_zero, weights)


class Votes(_Weighted):
    """The share of each class among the neighbors.

    `labels`, of shape (points, outputs), has each point's classes, numbered through the `widths` of all outputs. A row without
    a neighbor gets the shares `lonely`; without these it is refused.

    :raises ModelRefused: the search is not valid, `widths` has no class, or a label is out of its output's range.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        widths = node.positions("widths", 1_000_000)
        outputs = len(widths)
        node.expect(outputs > 0 and 0 not in widths and sum(widths) <= 1_000_000, "'widths' has no class, or too many")
        node.takes(20 * sum(widths) + 100 * outputs)
        flat = node.indices("labels", sum(widths), self._search.count, outputs)
        self._labels = [flat[start : start + outputs] for start in range(0, len(flat), outputs)]
        ends = [*accumulate(widths)]
        self._spans = [range(end - width, end) for end, width in zip(ends, widths, strict=True)]
        inside = all(label in span for row in self._labels for label, span in zip(row, self._spans, strict=True))
        node.expect(inside, "a label is not one of its output's classes")
        self._lonely = node.floats("lonely", sum(widths)) if node.has("lonely") else None
        self.kinds = "n" * sum(widths)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a class.

        :raises InvalidInput: no training row is within the radius, and there are no `lonely` shares.
        """
        weights, positions = self.weights(x)
        if not positions:
            if self._lonely is None:
                raise InvalidInput(Fault("a row with training rows within the model's radius", "a row without any"))
            return self._lonely
        votes = [0.0] * len(self.kinds)
        for weight, position in zip(weights, positions, strict=True):
            for label in self._labels[position]:
                votes[label] += weight
        wholes = [(span, total(votes[label] for label in span)) for span in self._spans]
        return [votes[label] / whole if whole else nan for span, whole in wholes for label in span]

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """Return the shares of each row."""
        import numpy as np

        votes, rows = np.zeros((len(distances), len(self.kinds))), np.arange(len(distances))[:, None]
        for weights, neighbor in zip(self._all_weights(distances).T, positions.T, strict=True):
            votes[rows, self._label_array[neighbor]] += weights[:, None]
        return self._shares(votes)

    def answers_within(self, distances: "Any", inside: "Any") -> "Any":
        """Return the shares of each row."""
        import numpy as np

        weights, (rows, points) = self._all_weights(distances), inside.nonzero()
        votes, given = np.empty((len(inside), len(self.kinds))), weights[rows, points]
        # no table of points and classes, and no output looks at the classes of another: a small file can make both huge
        for labels, span in zip(self._label_array.T, self._spans, strict=True):
            places = rows * len(span) + labels[points] - span.start
            votes[:, span.start : span.stop] = np.bincount(places, given, votes.shape[0] * len(span)).reshape(-1, len(span))
        return self._shares(votes)

    def _shares(self, votes: "Any") -> "Any":
        import numpy as np

        wholes = [votes[:, span].sum(axis=1, keepdims=True).repeat(len(span), axis=1) for span in self._spans]
        return votes / np.concatenate(wholes, axis=1)

    @cached_property
    def _label_array(self) -> "Any":
        import numpy as np

        return np.array(self._labels)


class Mean(_Weighted):
    """The weighted mean of the neighbors' `targets`, of shape (points, outputs).

    A row without a neighbor gets `lonely`, or NaN.

    :raises ModelRefused: the search is not valid, or `targets` or `lonely` has another shape.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self.targets = node.rows("targets", self._search.count, None)
        outputs = len(self.targets[0])
        self._lonely: list[float] = node.floats("lonely", outputs) if node.has("lonely") else [nan] * outputs
        self._each = self._search.k * outputs
        self.kinds = "n" * outputs

    def means(self, weights: "list[float]", rows: "list[list[float]]") -> "list[float]":
        """Return the weighted mean of each column of the rows."""
        whole = total(weights)
        if not whole:
            return self._lonely
        return [total(w * v for w, v in zip(weights, column, strict=True)) / whole for column in zip(*rows, strict=True)]

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean an output."""
        weights, positions = self.weights(x)
        return self.means(weights, [self.targets[position] for position in positions])

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """Return the means of each row."""
        weights = self._all_weights(distances)
        return (weights[:, :, None] * self._target_array[positions]).sum(axis=1) / weights.sum(axis=1, keepdims=True)

    def answers_within(self, distances: "Any", inside: "Any") -> "Any":
        """Return the means of each row."""
        weights = self._all_weights(distances) * inside
        return weights @ self._target_array / weights.sum(axis=1, keepdims=True)

    @cached_property
    def _target_array(self) -> "Any":
        import numpy as np

        return np.array(self.targets).reshape(len(self.targets), len(self.kinds))


class OutlierFactor(_Searching):
    """Minus the local outlier factor, minus `offset`; training learned the `reach` and `density` of each point.

    :raises ModelRefused: the search is not valid, or `reach` or `density` does not have one number a point.
    """

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._reach, self._density = (node.floats(name, self._search.count) for name in ("reach", "density"))
        self._offset = node.floats("offset", 1)[0]
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one score; below zero the row is an outlier."""
        neighbors = self._search.neighbors(x)
        if not neighbors:
            return [nan]
        apart = total(max(d, self._reach[i]) for d, i in neighbors) / len(neighbors) + 1e-10
        return [-total(self._density[i] * apart for _, i in neighbors) / len(neighbors) - self._offset]

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """Return the score of each row."""
        import numpy as np

        reach, density = self._learned
        apart = np.maximum(distances, reach[positions]).mean(axis=1, keepdims=True) + 1e-10
        return -(density[positions] * apart).mean(axis=1, keepdims=True) - self._offset

    @cached_property
    def _learned(self) -> "tuple[Any, Any]":
        import numpy as np

        return np.array(self._reach), np.array(self._density)


OPS = {"votes": Votes, "mean": Mean, "outlier_factor": OutlierFactor}
