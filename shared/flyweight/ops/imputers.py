"""Fill missing values from other rows, or from the row's other columns (`sklearn.impute`, 1.9)."""

from flyweight.ops._arithmetic import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


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
        self.k = node.whole("k", 1, 1_000_000)
        self._means = node.floats("means", width)
        self.kinds = "n" * width

    def row(self, x: "list[float]") -> "list[float]":
        """Return the values, filled."""
        present = [column for column, v in enumerate(x) if v == v]
        if len(present) == len(x):
            return x
        near = self.near(x)
        return [v if v == v else self._filled(column, near) for column, v in enumerate(x)]

    def near(self, x: "list[float]") -> "list[tuple[float, int]]":
        """Return the squared distances and numbers of the training rows that have a column in common, the nearest first."""
        present = [column for column, v in enumerate(x) if v == v]
        points = enumerate(self.points)
        return sorted((distance, number) for number, point in points if (distance := _apart(x, point, present)) is not None)

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


OPS = {"nearest": Nearest, "merge": Merge}
