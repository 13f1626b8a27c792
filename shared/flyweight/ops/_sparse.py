"""Sparse values of a plan: kinds of "z", and for each row one dictionary from column to number, without the zeros.

Only some ops read or give them; all others never meet one.
"""

from flyweight.ops import MAX_WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from flyweight.ops import Node

    Entries = dict[int, float]
    Array = np.ndarray[Any, Any]


def width_of(node: "Node") -> int:
    """Return the width of the one input, which is sparse.

    :raises ModelRefused: there are several inputs, or it is not sparse.
    """
    kinds = node.only_input()
    node.expect(kinds[:1] == "z", "takes a sparse value")
    return len(kinds)


def wide(node: "Node", width: int) -> str:
    """Return the kinds of a sparse value of this width.

    :raises ModelRefused: the width is out of range.
    """
    node.expect(0 < width <= MAX_WIDTH, f"is {width} columns wide, where 1 to {MAX_WIDTH} are allowed")
    return "z" * width


class RowByRow:
    """An op whose batch form calls its row form for one row after the other; an array of sparse rows is a column of objects."""

    looped = True  # a model of such ops alone is not worth importing NumPy for
    kinds: str

    if TYPE_CHECKING:

        def row(self, *inputs: "Any") -> "Any":
            """Answer one row; each op has its own."""
            ...

    def batch(self, *inputs: "Array") -> "Array":
        """Answer all rows of arrays of shape (rows, columns), or (rows, 1) of dictionaries."""
        import numpy as np

        rows = zip(*[_rows(array) for array in inputs], strict=True)
        answers = [self.row(*row) for row in rows]
        if self.kinds[:1] != "z":
            return np.array(answers, dtype=float).reshape(len(answers), len(self.kinds))
        column = np.empty((len(answers), 1), dtype=object)
        column[:, 0] = answers
        return column


def _rows(array: "Array") -> "list[Any]":
    """Return an array's rows, as lists or dictionaries."""
    rows: list[Any] = array.tolist()
    return [row[0] for row in rows] if rows and rows[0] and isinstance(rows[0][0], dict) else rows
