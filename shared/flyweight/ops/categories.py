"""Categorical naive Bayes: from whole numbers to one log-likelihood a class.

Source: `CategoricalNB._check_X` and `_joint_log_likelihood`, scikit-learn 1.9: numbers lose their fraction, and a number that
is negative or not below its feature's count is refused.
"""

from itertools import pairwise
from math import fsum

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._arithmetic import total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class LogSums:
    """`prior + sum of tables[starts[feature] + category]`, `tables` of shape (all categories, classes).

    :raises ModelRefused: there is no class, or `starts` does not divide the tables.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._names = node.items("names", (str,), width)
        self._prior = node.floats("prior", None)
        count = len(self._prior)
        table = node.rows("tables", None, count)
        rows = len(table)
        starts = node.indices("starts", rows + 1, width + 1)
        node.expect(sorted(starts) == starts and starts[0] == 0 and starts[-1] == rows, "'starts' does not divide the tables")
        node.expect(count > 0, "it has no class")
        self._tables = [table[start:end] for start, end in pairwise(starts)]
        self.kinds = "n" * count

    def terms(self, x: "list[float]") -> "list[tuple[float, ...]]":
        """Return for each class the terms of its sum, the prior first.

        :raises InvalidInput: a number is not a category of its feature.
        """
        parts = []
        for position, table in enumerate(self._tables):
            v = x[position]
            if not -1.0 < v < len(table):
                expected = f"a category from 0 to {len(table) - 1}"
                raise InvalidInput(Fault(expected, preview(v), feature=self._names[position]))
            parts.append(table[int(v)])
        return list(zip(self._prior, *parts, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one log-likelihood a class.

        :raises InvalidInput: a number is not a category of its feature.
        """
        terms = self.terms(x)
        try:
            return [*map(fsum, terms)]
        except (OverflowError, ValueError):
            return [*map(total, terms)]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array.

        :raises InvalidInput: a number is not a category of its feature.
        """
        import numpy as np

        y = np.repeat(self._arrays[0], len(x), axis=0)
        for position, table in enumerate(self._arrays[1]):
            column = x[:, position]
            if not ((column > -1.0) & (column < len(table))).all():
                raise InvalidInput
            y += table[column.astype(int)]
        return y

    @cached_property
    def _arrays(self) -> "tuple[Any, list[Any]]":
        import numpy as np

        return np.array([self._prior]), [np.array(table).reshape(len(table), len(self._prior)) for table in self._tables]


OPS = {"log_sums": LogSums}
