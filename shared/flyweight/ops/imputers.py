"""Fill missing values from other rows, or from the row's other columns (`sklearn.impute`, 1.9)."""

from flyweight.ops._arithmetic import total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.ops import Node


BLOCK = 1 << 18  # distances that are computed at once
TINY = 1e-300  # more than what squares lose that are too small for a number's usual digits


class Nearest:
    """Each missing value replaced by its column's mean over the `k` nearest training rows that have one (KNNImputer).

    `points` has the training rows. A distance counts the columns that both rows have, as if they were all
    (`nan_euclidean_distances`); of rows at the same distance the first counts. Where no training row has a column in common,
    the column's mean, of `means`, is used.

    :raises ModelRefused: `points` or `means` has another width than the row, or `k` is out of range.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.points = node.rows("points", None, width)
        node.expect(len(self.points) > 0, "it has no training row")
        self.k = node.whole("k", 1, 1_000_000)
        self._means = node.floats("means", width)
        self.kinds = "n" * width

    def row(self, x: "list[float]") -> "list[float]":
        """Return the values, filled."""
        present = [column for column, v in enumerate(x) if v == v]
        if len(present) == len(x):
            return x
        return self._filled_row(x, self.near(x))

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array: of each row only those training rows are measured that may be among its nearest."""
        import numpy as np

        y, rows = x.copy(), np.flatnonzero(np.isnan(x).any(axis=1))
        size = max(1, BLOCK // len(self.points))
        for part in [rows[start : start + size] for start in range(0, len(rows), size)]:
            for row, few in zip(part.tolist(), self._candidates(x[part]), strict=True):
                own = x[row].tolist()
                y[row] = self._filled_row(own, self.near(own, np.flatnonzero(few).tolist()))
        return y

    def near(self, x: "list[float]", among: "Iterable[int] | None" = None) -> "list[tuple[float, int]]":
        """Return the squared distances and numbers of the training rows that have a column in common, the nearest first.

        :param among: the numbers of the training rows that are measured; None for all.
        """
        present = [column for column, v in enumerate(x) if v == v]
        numbers = range(len(self.points)) if among is None else among
        apart = [(_apart(x, self.points[number], present), number) for number in numbers]
        return sorted([(distance, number) for distance, number in apart if distance is not None])

    def _candidates(self, x: "Any") -> "Any":
        """Tell for each row which training rows may be donors of its missing values, of shape (rows, training rows).

        Products of matrices give all distances with an error whose bound is known
        (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
        """
        import numpy as np

        points, has, squares = self._arrays
        given = ~np.isnan(x)
        own, mask = np.where(given, x, 0.0), given.astype(float)
        with np.errstate(all="ignore"):
            common, sizes = mask @ has, (own * own) @ has + mask @ squares
            rough = (sizes - 2.0 * (own @ points)) / common
            error = 16 * (x.shape[1] + 8) * 2.0**-53 * sizes / common + TINY
            lowest, highest = rough - error, rough + error
        lowest[~(lowest == lowest)], highest[~(highest == highest)] = -np.inf, np.inf
        few = np.zeros(rough.shape, bool)
        for column in np.flatnonzero(~given.all(axis=0)).tolist():
            rows, donors = np.flatnonzero(~given[:, column]), np.flatnonzero(has[column])
            limit = np.full((len(rows), 1), np.inf)
            if len(donors) > self.k:
                limit = np.partition(highest[np.ix_(rows, donors)], self.k - 1, axis=1)[:, self.k - 1 : self.k]
            few[np.ix_(rows, donors)] |= lowest[np.ix_(rows, donors)] <= limit
        return few

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any]":
        """Get the training rows as columns with zeros for what is missing, what is there, and the squares."""
        import numpy as np

        points = np.array(self.points).reshape(len(self.points), len(self._means)).T
        has = ~np.isnan(points)
        points = np.where(has, points, 0.0)
        return points, has.astype(float), points * points

    def _filled_row(self, x: "list[float]", near: "list[tuple[float, int]]") -> "list[float]":
        return [v if v == v else self._filled(column, near) for column, v in enumerate(x)]

    def donors(self, column: int, near: "list[tuple[float, int]]") -> "list[tuple[float, int]]":
        """Return those of the nearest rows that have a value in this column."""
        return [(distance, number) for distance, number in near if self.points[number][column] == self.points[number][column]]

    def _filled(self, column: int, near: "list[tuple[float, int]]") -> float:
        values: list[float] = []
        for _, number in near:
            v = self.points[number][column]
            if v == v:
                values.append(v)
                if len(values) == self.k:
                    break
        return total(values) / len(values) if values else self._means[column]


def _apart(x: "list[float]", point: "list[float]", present: "list[int]") -> "float | None":
    """Return the squared distance over the columns that both have, scaled to all; None where they have none in common."""
    apart = [x[column] - point[column] for column in present if point[column] == point[column]]
    squares = [v * v for v in apart]
    return total(squares) * len(x) / len(squares) if squares else None


class Merge:
    """The second input, with the third input's number at `position`, kept within `limits`, if the first input misses it there.

    :raises ModelRefused: the inputs are not two rows of one width and a number, or `position` is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        widths = [len(kinds) for kinds in node.inputs]
        node.expect(len(widths) == 3 and widths[0] == widths[1] and widths[2] == 1, "takes two rows and a number")
        node.expect("s" not in "".join(node.inputs), "takes numbers, got strings")
        self._position = node.whole("position", 0, widths[0] - 1)
        self._low, self._high = node.floats("limits", 2)
        self.kinds = node.inputs[1]

    def row(self, x: "list[float]", filled: "list[float]", predicted: "list[float]") -> "list[float]":
        """Return the row with one more column filled.

        :param x: the row as it came.
        :param filled: the row as the steps before filled it.
        :param predicted: the one number that a regressor predicts for `position`.
        """
        if x[self._position] == x[self._position]:
            return filled
        v = predicted[0]
        y = filled.copy()
        y[self._position] = self._low if v < self._low else self._high if v > self._high else v
        return y

    def batch(self, x: "Any", filled: "Any", predicted: "Any") -> "Any":
        """Answer all rows of the arrays."""
        import numpy as np

        y, v = filled.copy(), predicted[:, 0]
        v = np.where(v < self._low, self._low, np.where(v > self._high, self._high, v))
        y[:, self._position] = np.where(np.isnan(x[:, self._position]), v, filled[:, self._position])
        return y


OPS = {"nearest": Nearest, "merge": Merge}
