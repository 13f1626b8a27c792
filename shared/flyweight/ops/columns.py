"""Take and join columns; no value changes."""

from _operator import itemgetter

from flyweight.ops import MAX_WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class Take:
    """The columns at `positions`, in that order.

    :raises ModelRefused: a position is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        columns = node.positions("positions", len(kinds))
        self.kinds = "".join(kinds[column] for column in columns)
        self._columns = columns
        node.takes(len(columns) + 50)
        first = columns[0] if columns else 0
        # columns side by side, or one or none, are taken by a slice; others fastest by `itemgetter`
        self._span = slice(first, first + len(columns)) if columns == [*range(first, first + len(columns))] else None
        self._pick: Any = itemgetter(*columns) if self._span is None else None

    def row(self, x: "list[Any]") -> "list[Any]":
        """Return the values at these positions."""
        return [*self._pick(x)] if self._span is None else x[self._span]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array; numbers taken from among strings become an array of float64 again."""
        y = x[:, self._columns]
        return y if "s" in self.kinds else y.astype(float, copy=False)

    @property
    def arrays(self) -> "tuple[Any, ...]":
        """Get the positions."""
        import numpy as np

        return (np.array(self._columns, dtype=np.int64),)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows of numbers in the namespace `xp`."""
        return xp.take(x, arrays[0], axis=1) if self._span is None else x[:, self._span]


class Join:
    """All columns of all inputs, one after the other.

    :raises ModelRefused: together they are wider than MAX_WIDTH.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        node.expect(sum(map(len, node.inputs)) <= MAX_WIDTH, f"wider than {MAX_WIDTH} columns")
        self.kinds = "".join(node.inputs)

    def row(self, *inputs: "list[Any]") -> "list[Any]":
        """Return one list of all values."""
        return [value for x in inputs for value in x]

    def batch(self, *inputs: "Any") -> "Any":
        """Answer all rows of the arrays."""
        import numpy as np

        return np.concatenate(inputs, axis=1, dtype=object if "s" in self.kinds else float)

    arrays = ()

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", *inputs: "Any") -> "Any":
        """Answer all rows of numbers in the namespace `xp`."""
        return xp.concat(inputs, axis=1)


OPS = {"take": Take, "join": Join}
