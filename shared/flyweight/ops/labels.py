"""Choose the index of a class from scores or probabilities; `choices` has the number of classes of each output."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class _Index:
    """An op that gives indices."""

    exact = True
    arrays = ()
    whole = True  # its answers are whole numbers, also where they are columns of floats


class Argmax(_Index):
    """The index of the largest of each output's `widths` columns, the first of equals, as np.argmax breaks ties.

    :raises ModelRefused: `widths` does not add up to the input's width.
    """

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        widths = node.positions("widths", width + 1)
        fits = sum(widths) == width and 0 not in widths and bool(widths)
        node.expect(fits, "'widths' does not add up to the input's width")
        self._spans, end = [], 0
        for columns in widths:
            self._spans.append(slice(end, end + columns))
            end += columns
        self.kinds = "n" * len(widths)
        self.choices = widths
        if len(widths) == 1:
            self.row = _first_largest  # type: ignore[method-assign]

    def row(self, x: "list[float]") -> "list[int]":
        """Return one index an output."""
        return [index for span in self._spans for index in _first_largest(x[span])]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        return np.stack([x[:, span].argmax(axis=1) for span in self._spans], axis=1).astype(float)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.astype(xp.stack([xp.argmax(x[:, span], axis=1) for span in self._spans], axis=1), xp.float64)


def _first_largest(x: "list[float]") -> "list[int]":
    """Return a row with the index of the largest number, or of the first NaN, as np.argmax does."""
    whole = sum(x)
    if whole == whole:
        return [x.index(max(x))]
    return [next((index for index, v in enumerate(x) if v != v), x.index(max(x)))]


class Above(_Index):
    """1 where the one score is above 0 (or at it, if `inclusive`), else 0.

    :raises ModelRefused: the input has several columns.
    """

    def __init__(self, node: "Node") -> None:
        node.expect(node.numbers() == 1, "takes one score")
        self._inclusive = node.choice("inclusive", (True, False))
        self.kinds = "n"
        self.choices = [2]

    def row(self, x: "list[float]") -> "list[int]":
        """Return the one index, 0 or 1."""
        return [int(x[0] >= 0.0 if self._inclusive else x[0] > 0.0)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        return (x >= 0.0 if self._inclusive else x > 0.0).astype(float)

    def over(self, xp: "Any", arrays: "tuple[Any, ...]", x: "Any") -> "Any":
        """Answer all rows in the namespace `xp`."""
        return xp.astype(x >= 0.0 if self._inclusive else x > 0.0, xp.float64)


OPS = {"argmax": Argmax, "above": Above}
