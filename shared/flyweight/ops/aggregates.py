"""Sum up the numbers of a row: sums, means, spreads and the like of some columns, without those that are missing."""

from math import inf, nan, sqrt

from flyweight.ops._arithmetic import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node


def _mean(values: "list[float]") -> float:
    return total(values) / len(values) if values else nan


def _variance(values: "list[float]") -> float:
    """Return the variance of a sample: the sum of squared distances from the mean over one less than the number of values."""
    if len(values) < 2:
        return nan
    mean = _mean(values)
    return total([(v - mean) * (v - mean) for v in values]) / (len(values) - 1)


def _median(values: "list[float]") -> float:
    if not values:
        return nan
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0


def _product(values: "list[float]") -> float:
    product = 1.0
    for v in values:
        product *= v
    return product


# name -> the function of the values that are there, and whether it answers to the last bit
FUNCTIONS: "dict[str, tuple[Callable[[list[float]], float], bool]]" = {
    "sum": (total, False),
    "prod": (_product, False),
    "mean": (_mean, False),
    "var": (_variance, False),
    "std": (lambda values: sqrt(v) if 0.0 <= (v := _variance(values)) < inf else v, False),
    "min": (lambda values: min(values, default=nan), True),
    "max": (lambda values: max(values, default=nan), True),
    "median": (_median, True),
    "count": (lambda values: float(len(values)), True),
}


class Apply:
    """Each of `functions` of the numbers at `positions`, without those that are missing (pandas' `DataFrame.agg`).

    :raises ModelRefused: a function is unknown, or a position is out of range or has strings.
    """

    def __init__(self, node: "Node") -> None:
        kinds = node.only_input()
        self._positions = node.positions("positions", len(kinds))
        node.expect(all(kinds[position] == "n" for position in self._positions), "takes numbers, got strings or a sparse value")
        words = node.items("functions", (str,))
        node.expect({*words} <= {*FUNCTIONS}, f"'functions' has one that is not among {', '.join(FUNCTIONS)}")
        node.expect(len(words) <= len(FUNCTIONS), "'functions' has one twice")
        self._functions = [FUNCTIONS[word][0] for word in words]
        self.exact = all(FUNCTIONS[word][1] for word in words)
        self.kinds = "n" * len(words)

    def present(self, x: "list[Any]") -> "list[float]":
        """Return the numbers that are not missing."""
        return [v for v in [x[position] for position in self._positions] if v == v]

    def row(self, x: "list[Any]") -> "list[float]":
        """Return one number a function."""
        values = self.present(x)
        return [function(values) for function in self._functions]


OPS = {"apply": Apply}
