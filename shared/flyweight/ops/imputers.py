"""Missing values filled by what other rows, or the row's other columns, say (`sklearn.impute`, 1.9)."""

from flyweight.ops._sums import total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class Nearest:
    """A missing value becomes the mean of its column over the `k` nearest training rows that have one (KNNImputer).

    A distance counts the columns that both rows have, as if they were all (`nan_euclidean_distances`); of rows that are as
    near, the first counts. Where no training row has a column in common, the column's mean, `means`, stands in.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("points", "F64", (None, width)).shape[0]
        self._points = rows_of(node.floats("points", count, width), count, width)
        self._k = node.whole("k", 1, 1_000_000)
        self._means = node.floats("means", width)
        self.kinds = "n" * width

    def row(self, x: "list[float]") -> "list[float]":
        """The values, filled."""
        present = [column for column, v in enumerate(x) if v == v]
        if len(present) == len(x):
            return x
        near = sorted(
            (distance, number) for number, point in enumerate(self._points) if (distance := _apart(x, point, present)) is not None
        )
        return [v if v == v else self._filled(column, near) for column, v in enumerate(x)]

    def _filled(self, column: int, near: "list[tuple[float, int]]") -> float:
        found: list[float] = []
        for _, number in near:
            v = self._points[number][column]
            if v == v:
                found.append(v)
                if len(found) == self._k:
                    break
        return total(found) / len(found) if found else self._means[column]


def _apart(x: "list[float]", point: "list[float]", present: "list[int]") -> "float | None":
    """The squared distance of what both have, for all columns; None where they have nothing in common."""
    apart = [x[column] - point[column] for column in present if point[column] == point[column]]
    squares = [v * v for v in apart]
    return total(squares) * len(x) / len(squares) if squares else None


class Merge:
    """The second input with the third one's number, kept within `limits`, at `position` if the first misses it there."""

    exact = True

    def __init__(self, node: "Node") -> None:
        widths = [len(kinds) for kinds in node.inputs]
        node.expect(len(widths) == 3 and widths[0] == widths[1] and widths[2] == 1, "takes two rows and a number")
        node.expect("s" not in "".join(node.inputs), "takes numbers, got strings")
        self._position = node.whole("position", 0, widths[0] - 1)
        self._low, self._high = node.floats("limits", 2)
        self.kinds = node.inputs[1]

    def row(self, x: "list[float]", filled: "list[float]", said: "list[float]") -> "list[float]":
        """The row, a step further."""
        if x[self._position] == x[self._position]:
            return filled
        v = said[0]
        y = filled.copy()
        y[self._position] = self._low if v < self._low else self._high if v > self._high else v
        return y


OPS = {"nearest": Nearest, "merge": Merge}
