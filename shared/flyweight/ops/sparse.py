"""Ops over sparse values, whose cost is that of the nonzero entries; the dense ops of the same names do the same.

`spread` turns a sparse value into an ordinary one, and `gather` an ordinary value into a sparse one.
"""

from itertools import accumulate
from math import inf, log, nan, sqrt

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops import LETTERS
from flyweight.ops._arithmetic import dot, total
from flyweight.ops._sparse import RowByRow, wide, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from flyweight.ops import Node
    from flyweight.ops._sparse import Entries


class Spread(RowByRow):
    """A sparse value as an ordinary one, with its zeros.

    :raises ModelRefused: the input is not sparse.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self._zeros = [0.0] * width_of(node)
        self.kinds = "n" * len(self._zeros)

    def row(self, x: "Entries") -> "list[float]":
        """Return all numbers."""
        y = self._zeros.copy()
        for column, v in x.items():
            y[column] = v
        return y


class Gather(RowByRow):
    """The nonzero numbers of an ordinary value.

    :raises ModelRefused: the input is not one row of numbers, or too wide.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = wide(node, node.numbers())

    def row(self, x: "list[float]") -> "Entries":
        """Return the nonzero numbers by column."""
        return {column: v for column, v in enumerate(x) if v}


class Take(RowByRow):
    """The columns at `positions`, each at most once, in that order.

    :raises ModelRefused: the input is not sparse, or a position repeats or is out of range.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        positions = node.indices("positions", width_of(node), None)
        self.kinds = wide(node, len(positions))
        self._places = {column: place for place, column in enumerate(positions)}
        node.expect(len(self._places) == len(positions), "a column is listed twice in 'positions'")

    def row(self, x: "Entries") -> "Entries":
        """Return the numbers at these positions."""
        places = self._places
        return {places[column]: v for column, v in x.items() if column in places}


class Join(RowByRow):
    """All columns of all inputs, sparse or not, one after the other.

    :raises ModelRefused: an input has strings, or together they are too wide.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        node.expect(not any("s" in kinds for kinds in node.inputs), "takes numbers, got strings")
        self.kinds = wide(node, sum(map(len, node.inputs)))
        starts = accumulate(map(len, node.inputs[:-1]), initial=0)
        self._parts = [(start, kinds[:1] == "z") for start, kinds in zip(starts, node.inputs, strict=True)]

    def row(self, *inputs: "Any") -> "Entries":
        """Return one dictionary of all numbers."""
        joined: Entries = {}
        for (start, sparse), x in zip(self._parts, inputs, strict=True):
            items: Iterable[tuple[int, float]] = x.items() if sparse else enumerate(x)
            joined |= {start + column: v for column, v in items}
        return joined


class Stretch(RowByRow):
    """Each number times its column's `multiply`.

    :raises ModelRefused: the input is not sparse, or `multiply` does not have one number a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = wide(node, width_of(node))
        self._multiply = node.array("multiply", "F64", (len(self.kinds),)).values  # read in place: most are never needed

    def row(self, x: "Entries") -> "Entries":
        """Return the products."""
        multiply = self._multiply
        return {column: v * multiply[column] for column, v in x.items()}


class Log(RowByRow):
    """`log(v) + 1` of each number v that is there, a count (TfidfTransformer with `sublinear_tf`).

    A number without a finite logarithm is refused unless `takes` is "any", as the reader of the result refuses it.

    :raises ModelRefused: the input is not sparse, or `takes` is unknown.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = wide(node, width_of(node))
        self._any = node.choice("takes", ("any", "nan", "finite")) == "any"

    def row(self, x: "Entries") -> "Entries":
        """Return the logarithms, with NumPy's answers to zero and below.

        :raises InvalidInput: a number is not above zero, and `takes` is not "any".
        """
        if not self._any and x and not min(x.values()) > 0.0:
            raise InvalidInput(Fault("counts of terms above 0", preview(min(x.values()))))
        return {column: log(v) + 1.0 if v > 0.0 else nan if v else -inf for column, v in x.items()}


class Normalize(RowByRow):
    """Each row over its norm; a row of zeros stays as it is (`inplace_csr_row_normalize_l2`, `normalize`).

    :raises ModelRefused: the input is not sparse, or `norm` is unknown.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = wide(node, width_of(node))
        self._norm = node.choice("norm", ("l1", "l2", "max"))

    def row(self, x: "Entries") -> "Entries":
        """Return the numbers over their norm."""
        values = [*x.values()]
        if self._norm == "l2":
            norm = sqrt(dot(values, values))
        else:
            norm = total(map(abs, values)) if self._norm == "l1" else max(map(abs, values), default=0.0)
        return {column: v / norm for column, v in x.items()} if norm else x


class Affine(RowByRow):
    """`x @ weights + intercept`, weights of shape (features, outputs), read in place.

    :raises ModelRefused: the input is not sparse, or `weights` or `intercept` does not fit it or the other.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = width_of(node)
        tensor = node.array("weights", "F64", (width, None))
        self._weights, self._outputs = tensor.values, tensor.shape[1]
        each = 5.0 * self._outputs + 20.0  # steps of an entry
        if node.entries is None:
            node.takes(width * each)
        else:
            node.takes(min(width, node.entries * LETTERS) * each, letter_steps=node.entries * each)
        self.intercept = node.floats("intercept", self._outputs)
        self.kinds = "n" * self._outputs

    def weights(self, x: "Entries") -> "list[list[float]]":
        """Return for each output the weights of the row's entries, in their order."""
        weights, outputs = self._weights, self._outputs
        if outputs == 1:
            return [[weights[column] for column in x]]
        if not x:
            return [[]] * outputs
        rows = [weights[column * outputs : (column + 1) * outputs].tolist() for column in x]
        return [list(column) for column in zip(*rows, strict=True)]

    def row(self, x: "Entries") -> "list[float]":
        """Return one sum an output."""
        values = [*x.values()]
        return [dot(own, values) + b for own, b in zip(self.weights(x), self.intercept, strict=True)]


OPS = {
    "spread": Spread,
    "gather": Gather,
    "take": Take,
    "join": Join,
    "stretch": Stretch,
    "log": Log,
    "normalize": Normalize,
    "affine": Affine,
}
