"""What the nearest training points say, from numbers to shares, means or how far out a row lies.

Sources: `KNeighborsClassifier.predict_proba`, `KNeighborsRegressor.predict`, their `Radius` kin,
`LocalOutlierFactor.score_samples` and `sklearn.neighbors._base._get_weights`, scikit-learn 1.9.
"""

from math import isinf, nan

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._neighbors import Search
from flyweight.ops._sums import total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class _Searching:
    """An op whose batch form compares all points at once, and leaves rows in doubt to its row form."""

    exact = False
    kinds: str
    _search: Search

    if TYPE_CHECKING:

        def row(self, x: list[float]) -> list[float]:
            """One instance; each op has its own."""
            ...

        def answers(self, distances: Any, positions: Any) -> Any:
            """What neighbors say that are arrays of shape (rows, k); each op has its own."""
            ...

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, self._search.count, self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        y, doubtful = np.empty((len(x), len(self.kinds))), np.ones(len(x), dtype=bool)
        if self._search.batched:
            distances, positions, sure = self._search.nearest(x)
            y, doubtful = self.answers(distances, positions), ~sure
        for row in doubtful.nonzero()[0]:
            y[row] = self.row(x[row].tolist())
        return y


class _Weighted(_Searching):
    """Each neighbor counts once, or with `weights` "distance" by one over its distance; at distance 0 nothing else counts."""

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._by_distance = node.choice("weights", ("uniform", "distance")) == "distance"

    def _weights(self, x: "list[float]") -> "tuple[list[float], list[int]]":
        found = self._search.found(x)
        positions = [i for _, i in found]
        if not self._by_distance:
            return [1.0] * len(found), positions
        if any(isinf(1.0 / d) if d else True for d, _ in found):
            return [float(not d or isinf(1.0 / d)) for d, _ in found], positions
        return [1.0 / d for d, _ in found], positions

    def _all_weights(self, distances: "Any") -> "Any":
        import numpy as np

        if not self._by_distance:
            return np.ones_like(distances)
        weights = 1.0 / distances
        at_it = np.isinf(weights)
        return np.where(at_it.any(axis=1, keepdims=True), at_it, weights)


class Votes(_Weighted):
    """The share of each class among the neighbors, of shape (points, outputs) `labels` as columns of all outputs' `widths`.

    Where no point is near enough: the shares `lonely`, or without them the row is refused.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        widths = node.positions("widths", 1_000_000)
        outputs = len(widths)
        node.expect(outputs > 0 and 0 not in widths and sum(widths) <= 1_000_000, "'widths' has no class, or too many")
        flat = node.indices("labels", sum(widths), self._search.count, outputs)
        self._labels = [flat[start : start + outputs] for start in range(0, len(flat), outputs)]
        ends = [sum(widths[: position + 1]) for position in range(outputs)]
        self._spans = [range(end - width, end) for end, width in zip(ends, widths, strict=True)]
        inside = all(label in span for row in self._labels for label, span in zip(row, self._spans, strict=True))
        node.expect(inside, "a label is not one of its output's classes")
        self._lonely = node.floats("lonely", sum(widths)) if node.has("lonely") else None
        self.kinds = "n" * sum(widths)

    def row(self, x: "list[float]") -> "list[float]":
        """The shares."""
        weights, positions = self._weights(x)
        if not positions:
            if self._lonely is None:
                raise InvalidInput(Fault("a row with training rows within the model's radius", "none is that near"))
            return self._lonely
        votes = [0.0] * len(self.kinds)
        for weight, position in zip(weights, positions, strict=True):
            for label in self._labels[position]:
                votes[label] += weight
        wholes = [(span, total(votes[label] for label in span)) for span in self._spans]
        return [votes[label] / whole if whole else nan for span, whole in wholes for label in span]

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """The shares of each row."""
        import numpy as np

        votes, rows = np.zeros((len(distances), len(self.kinds))), np.arange(len(distances))[:, None]
        labels = np.array(self._labels)
        for weights, neighbor in zip(self._all_weights(distances).T, positions.T, strict=True):
            votes[rows, labels[neighbor]] += weights[:, None]
        wholes = [votes[:, span].sum(axis=1, keepdims=True).repeat(len(span), axis=1) for span in self._spans]
        return votes / np.concatenate(wholes, axis=1)


class Mean(_Weighted):
    """The weighted mean of the neighbors' `targets`, of shape (points, outputs); `lonely`, or NaN, where no point is near."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        outputs = node.array("targets", "F64", (self._search.count, None)).shape[1]
        self._targets = rows_of(node.floats("targets", self._search.count, outputs), self._search.count, outputs)
        self._lonely = node.floats("lonely", outputs) if node.has("lonely") else [nan] * outputs
        self.kinds = "n" * outputs

    def _means(self, weights: "list[float]", rows: "list[list[float]]") -> "list[float]":
        whole = total(weights)
        if not whole:
            return self._lonely
        return [total(w * v for w, v in zip(weights, column, strict=True)) / whole for column in zip(*rows, strict=True)]

    def row(self, x: "list[float]") -> "list[float]":
        """One mean an output."""
        weights, positions = self._weights(x)
        return self._means(weights, [self._targets[position] for position in positions])

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """The means of each row."""
        import numpy as np

        weights = self._all_weights(distances)
        targets = np.array(self._targets).reshape(len(self._targets), len(self.kinds))[positions]
        return (weights[:, :, None] * targets).sum(axis=1) / weights.sum(axis=1, keepdims=True)

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The mean of the absolute values."""
        weights, positions = self._weights(x)
        means = self._means(weights, [list(map(abs, self._targets[position])) for position in positions])
        return [0.0 if mean != mean else mean for mean in means]


class OutlierFactor(_Searching):
    """Minus the local outlier factor, minus `offset`: `reach` and `density` are each point's own, learned in training."""

    def __init__(self, node: "Node") -> None:
        self._search = Search(node)
        self._reach, self._density = (node.floats(name, self._search.count) for name in ("reach", "density"))
        self._offset = node.floats("offset", 1)[0]
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """The score; below zero is an outlier."""
        found = self._search.found(x)
        if not found:
            return [nan]
        apart = total(max(d, self._reach[i]) for d, i in found) / len(found) + 1e-10
        return [-total(self._density[i] * apart for _, i in found) / len(found) - self._offset]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The score's own size: its terms have one sign."""
        (score,) = self.row(x)
        return [0.0 if score != score else abs(score)]

    def answers(self, distances: "Any", positions: "Any") -> "Any":
        """The scores of each row."""
        import numpy as np

        reach, density = np.array(self._reach), np.array(self._density)
        apart = np.maximum(distances, reach[positions]).mean(axis=1, keepdims=True) + 1e-10
        return -(density[positions] * apart).mean(axis=1, keepdims=True) - self._offset


OPS = {"votes": Votes, "mean": Mean, "outlier_factor": OutlierFactor}
