"""Combine the answers of several estimators: means, votes, medians, codes, added in scikit-learn's order.

An index is a column like any other here: a number that is not a position among the classes counts for nothing.
"""

from flyweight.ops import MAX_WIDTH, Over
from flyweight.ops._arithmetic import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Mean(Over):
    """The inputs' weighted sum, added one by one, over `divide` (VotingRegressor, BaggingClassifier, CalibratedClassifierCV).

    `exact` says whether the estimator adds in this order for any number of rows; `np.mean` along rows does not.

    :raises ModelRefused: the inputs differ in width or are strings, or `weights` or `divide` is not valid.
    """

    def __init__(self, node: "Node") -> None:
        self.kinds = node.inputs[0]
        node.expect("s" not in "".join(node.inputs), "takes numbers, got strings")
        node.expect(len({*map(len, node.inputs)}) == 1, "its inputs differ in width")
        self.exact = bool(node.choice("exact", (True, False)))
        self.weights = node.floats("weights", len(node.inputs)) if node.has("weights") else [1.0] * len(node.inputs)
        self.divide = node.floats("divide", 1)[0]
        node.takes(5 * len(node.inputs) * (len(self.kinds) + 20))
        node.expect(self.divide != 0.0, "'divide' is zero")

    def row(self, *inputs: "list[float]") -> "list[float]":
        """Return one mean a column."""
        y = [0.0] * len(self.kinds)
        for weight, x in zip(self.weights, inputs, strict=True):
            y = [sum_ + v * weight for sum_, v in zip(y, x, strict=True)]
        return [v / self.divide for v in y]

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", *inputs: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        y = 0.0
        for weight, x in zip(self.weights, inputs, strict=True):
            y = y + x * weight
        return y / self.divide


class Vote:
    """The votes of each class: a column, a position among `classes`, gives that class its `for`, the others its `against`.

    AdaBoost votes so.

    :raises ModelRefused: `for` or `against` does not have one number a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._classes = node.whole("classes", 1, MAX_WIDTH)
        votes = node.floats("for", width)
        against = node.floats("against", width) if node.has("against") else [0.0] * width
        self._votes = list(zip(votes, against, strict=True))
        node.takes(5 * self._classes + 20 * width + 6 * self._classes * sum([1 for vote in against if vote]))
        self.kinds = "n" * self._classes

    def row(self, x: "list[float]") -> "list[float]":
        """Return one sum of votes a class."""
        y = [0.0] * self._classes
        for position, (vote, against) in zip(x, self._votes, strict=True):
            if against:
                y = [v + (vote if c == position else against) for c, v in enumerate(y)]
            elif 0 <= position < self._classes:
                y[int(position)] += vote
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        y, classes = np.zeros((len(x), self._classes)), np.arange(self._classes)
        for column, (vote, against) in zip(x.T, self._votes, strict=True):
            position = np.trunc(column) if not against else column
            position = np.where(column >= 0.0, position, -1.0)[:, None]
            y += np.where(position == classes, vote, against)
        return y


class Median:
    """The first of the sorted columns at which half of all `weights` is reached (`AdaBoostRegressor._get_median_predict`).

    :raises ModelRefused: there is no column, or `weights` does not have one number a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        node.expect(width > 0, "takes at least one column")
        self._weights = node.floats("weights", width)
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one weighted median."""
        order = sorted(range(len(x)), key=x.__getitem__)
        reached, below = 0.0, []
        for position in order:
            reached += self._weights[position]
            below.append(reached)
        first = next((place for place, weight in enumerate(below) if weight >= 0.5 * reached), 0)
        return [x[order[first]]]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        order = x.argsort(axis=1, kind="stable")
        below = np.array(self._weights)[order].cumsum(axis=1)
        first = (below >= 0.5 * below[:, -1:]).argmax(axis=1)[:, None]
        return np.take_along_axis(x, np.take_along_axis(order, first, axis=1), axis=1)


class Scatter:
    """The columns put at `positions` of a row of zeros (for a member that saw fewer classes than the ensemble).

    :raises ModelRefused: `positions` repeats, is out of range, or does not have one position a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        wide = node.whole("width", 1, MAX_WIDTH)
        self._positions = node.positions("positions", wide)
        node.expect(len(self._positions) == width == len({*self._positions}), "'positions' repeats, or is not one a column")
        self.kinds = "n" * wide

    def row(self, x: "list[float]") -> "list[float]":
        """Return the wide row."""
        y = [0.0] * len(self.kinds)
        for position, value in zip(self._positions, x, strict=True):
            y[position] = value
        return y


class Recode:
    """The number of `codes` at the position that the one column gives (a class as a number, for the next model).

    :raises ModelRefused: the input has several columns.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one index")
        self._codes = node.floats("codes", None)
        self.kinds = "n"

    def row(self, x: "list[float]") -> "list[float]":
        """Return the one code, NaN where the position is out of range."""
        return [self._codes[int(x[0])] if 0 <= x[0] < len(self._codes) else float("nan")]


class Shares:
    """Each column over the sum of all; where the sum is zero, equal shares if `uniform`, else the input itself.

    :raises ModelRefused: there is no column.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        node.expect(self.kinds != "", "takes at least one column")
        self._uniform = node.choice("uniform", (True, False))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a column."""
        whole = total(x)
        if whole:
            return [v / whole for v in x]
        return [1.0 / len(x)] * len(x) if self._uniform else x

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        whole = x.sum(axis=1, keepdims=True)
        return np.where(whole == 0.0, 1.0 / x.shape[1] if self._uniform else x, x / whole)


class OneVsOne:
    """Votes of all pairs of `classes`, ties broken by confidence (`sklearn.utils.multiclass._ovr_decision_function`).

    It reads two inputs with one column a pair: the index that won, 0 or 1, and the confidence in 1.

    :raises ModelRefused: the inputs have another width.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        classes = node.whole("classes", 2, 1000)
        count = classes * (classes - 1) // 2
        node.expect([*map(len, node.inputs)] == [count] * 2, "takes two inputs of one column a pair of classes")
        node.expect("s" not in "".join(node.inputs), "takes numbers, got strings")
        node.takes(20 * count, values=3 * count)
        self._pairs = [(i, j) for i in range(classes) for j in range(i + 1, classes)]
        self.kinds = "n" * classes

    def row(self, winners: "list[float]", confidences: "list[float]") -> "list[float]":
        """Return one score a class."""
        votes, sums = [0.0] * len(self.kinds), [0.0] * len(self.kinds)
        for (i, j), winner, confidence in zip(self._pairs, winners, confidences, strict=True):
            sums[i] -= confidence
            sums[j] += confidence
            votes[j if winner == 1 else i] += 1.0
        return [vote + s / (3.0 * (abs(s) + 1.0)) for vote, s in zip(votes, sums, strict=True)]

    def batch(self, winners: "Any", confidences: "Any") -> "Any":
        """Answer all rows of the two arrays."""
        import numpy as np

        votes, sums = np.zeros((2, len(self.kinds), len(winners)))
        for (i, j), winner, confidence in zip(self._pairs, winners.T == 1, confidences.T, strict=True):
            sums[i] -= confidence
            sums[j] += confidence
            votes[i] += ~winner
            votes[j] += winner
        return (votes + sums / (3.0 * (np.abs(sums) + 1.0))).T


class Nearest:
    """The index of the row of `codes` that is nearest to the input, the first of equals (OutputCodeClassifier).

    :raises ModelRefused: there is no code, or it has another width than the input.
    """

    exact = True
    whole = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._codes = node.rows("codes", None, width)
        node.expect(len(self._codes) > 0 and width > 0, "it has no code")
        self.kinds = "n"
        self.choices = [len(self._codes)]

    def row(self, x: "list[float]") -> "list[int]":
        """Return the one index; the input's own square is the same for all codes and left out."""
        distances = [total(c * (c - 2.0 * v) for c, v in zip(code, x, strict=True)) for code in self._codes]
        return [distances.index(min(distances))]


OPS = {
    "mean": Mean,
    "vote": Vote,
    "median": Median,
    "scatter": Scatter,
    "recode": Recode,
    "shares": Shares,
    "one_vs_one": OneVsOne,
    "nearest": Nearest,
}
