"""Values of the plan that are mostly zeros: kinds of "z", one dictionary a row from column to number, and nothing for zeros.

Only ops of the families `text` and `sparse` read and give them, so that no other has to know.
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
    """The width of the one input, which is sparse."""
    kinds = node.only_input()
    node.expect(kinds[:1] == "z", "takes a sparse value")
    return len(kinds)


def wide(node: "Node", width: int) -> str:
    """The kinds of a sparse value of this width."""
    node.expect(0 < width <= MAX_WIDTH, f"is {width} columns wide, where 1 to {MAX_WIDTH} are allowed")
    return "z" * width


class RowByRow:
    """An op over rows whose batch form is its row form, one after the other; an array of sparse rows is one column of objects."""

    looped = True  # so that a model of such ops alone is not worth importing NumPy for
    kinds: str

    if TYPE_CHECKING:

        def row(self, *inputs: "Any") -> "Any":
            """One row; each op has its own."""
            ...

    def batch(self, *inputs: "Array") -> "Array":
        """All rows, as arrays of shape (rows, columns), or (rows, 1) of dictionaries."""
        import numpy as np

        rows = zip(*[_rows(array) for array in inputs], strict=True)
        answers = [self.row(*row) for row in rows]
        if self.kinds[:1] != "z":
            return np.array(answers, dtype=float).reshape(len(answers), len(self.kinds))
        column = np.empty((len(answers), 1), dtype=object)
        column[:, 0] = answers
        return column


def _rows(array: "Array") -> "list[Any]":
    rows: list[Any] = array.tolist()
    return [row[0] for row in rows] if rows and rows[0] and isinstance(rows[0][0], dict) else rows
