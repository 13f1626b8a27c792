"""Rows as sums of parts, none of them negative, from a row to its shares of `parts` (`sklearn.decomposition._nmf`, 1.9).

The steps are scikit-learn's own, for the row alone: among others it stops when all of them together change little.
"""

from math import inf, log, nan, sqrt

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._sparse import RowByRow
from flyweight.ops._sums import dot, total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

TINY = 2.0**-23  # stands for zeros that are divided by
MOST = 20_000_000  # products a row: some seconds


class _Factors(RowByRow):
    """What both ways to solve share: `parts` of shape (parts, features), and their products with each other."""

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("parts", "F64", (None, width)).shape[0]
        node.expect(count > 0 and width > 0, "'parts' are none, or of no feature")
        self._parts = rows_of(node.floats("parts", count, width), count, width)
        node.expect(all(0.0 <= v < inf for part in self._parts for v in part), "'parts' are negative, or not finite")
        self._columns = [list(column) for column in zip(*self._parts, strict=True)]
        self._gram = [[dot(a, b) for b in self._parts] for a in self._parts]
        self._rounds = node.whole("rounds", 1, 1_000_000)
        node.expect(self._rounds * count * (count + width) <= MOST, "has too many rounds for so many parts")
        # tolerance, then what is added for each share, and for its square
        self._tolerance, self._flat, self._steep = node.floats("limits", 3)
        self.kinds = "n" * count

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The size of what each part alone would take of the row."""
        lengths = [own[i] for i, own in enumerate(self._gram)]
        return [abs(dot(part, x)) / length if length else 0.0 for part, length in zip(self._parts, lengths, strict=True)]


class Descent(_Factors):
    """One share after the other at its best, the others held; `orders` tells which first in each round, if not the order."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        count = len(self._parts)
        flat = node.indices("orders", count, self._rounds, count) if node.has("orders") else []
        self._orders = [flat[start : start + count] for start in range(0, len(flat), count)]
        for i, row in enumerate(self._gram):
            row[i] += self._steep

    def row(self, x: "list[float]") -> "list[float]":
        """The shares.

        :raises InvalidInput: a number is negative; the estimator refuses it.
        """
        if min(x) < 0.0:
            raise InvalidInput(NEGATIVE)
        count, first = len(self._parts), 0.0
        aims = [dot(part, x) - self._flat for part in self._parts]
        y = [0.0] * count
        for number in range(self._rounds):
            violation = 0.0
            for i in self._orders[number] if self._orders else range(count):
                own = self._gram[i]
                slope = dot(own, y) - aims[i]
                violation += abs(min(0.0, slope) if y[i] == 0.0 else slope)
                if own[i] != 0.0:
                    y[i] = max(y[i] - slope / own[i], 0.0)
            first = first or violation
            if not first or violation / first <= self._tolerance:
                break
        return y


NEGATIVE = Fault("numbers of which none is negative", "one that is")
ZERO = Fault("numbers above zero", "one that is zero")
APART = Fault("numbers that are sums of the model's parts", "some whose shares are no finite number")


class Scaling(_Factors):
    """All shares at once, each times a factor, until these change little, or with `errors`, each tenth time, the error.

    `beta` is the divergence that is made small, of which 2 is the squared error; `gamma` the factors' power.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._beta, self._gamma = node.floats("powers", 2)
        node.expect(abs(self._beta) <= 100.0 and 0.0 < self._gamma <= 1.0, "'powers' are out of range")
        self._errors = node.choice("errors", (True, False))
        self._sums = [total(part) for part in self._parts]

    def row(self, x: "list[float]") -> "list[float]":
        """The shares.

        :raises InvalidInput: a number is negative, or no shares can be found. NMF refuses such rows too; MiniBatchNMF was fitted
            on no such row, and answers those with what rounding makes of quotients near zero.
        """
        least = min(x)
        if least < 0.0:
            raise InvalidInput(NEGATIVE)
        if self._errors and self._beta <= 0.0 and least == 0.0:
            raise InvalidInput(ZERO)
        y = [sqrt(total(x) / len(x) / len(self._parts))] * len(self._parts)
        aims, sums = [dot(part, x) for part in self._parts], self._sums
        start = before = self._error(x, y) if self._errors else 0.0
        for number in range(1, self._rounds + 1):
            above, below = self._ratio(x, y, aims, sums)
            if self._flat > 0.0:
                below = [v + self._flat for v in below]
            if self._errors and self._beta == 1.0:
                sums = below  # as the estimator does, which adds in place
            last, y = y, self._scaled(y, above, below)
            if self._errors:
                if self._tolerance > 0.0 and number % 10 == 0:
                    error = self._error(x, y)
                    if (before - error) < self._tolerance * start:
                        break
                    before = error
                continue
            moved = sqrt(total([(a - b) * (a - b) for a, b in zip(y, last, strict=True)]))
            size = sqrt(dot(y, y))
            if not size < inf:
                raise InvalidInput(APART)
            if size and 0.0 < self._tolerance >= moved / size:
                break
        return y

    def _ratio(
        self, x: "list[float]", y: "list[float]", aims: "list[float]", sums: "list[float]"
    ) -> "tuple[list[float], list[float]]":
        beta = self._beta
        if beta == 2.0:
            return aims, [dot(own, y) for own in self._gram]
        made = [dot(column, y) for column in self._columns]
        safe = [max(v, TINY) for v in made] if beta < 2.0 else made
        scaled = [a * _power(v, beta - 2.0) for a, v in zip(x, safe, strict=True)]
        above = [dot(part, scaled) for part in self._parts]
        if beta == 1.0:
            return above, sums
        powers = [_power(max(v, TINY) if beta < 1.0 else v, beta - 1.0) for v in made]
        return above, [dot(part, powers) for part in self._parts]

    def _scaled(self, y: "list[float]", above: "list[float]", below: "list[float]") -> "list[float]":
        if self._steep > 0.0:
            below = [v + self._steep * share for v, share in zip(below, y, strict=True)]
        factors = [a / (b or TINY) for a, b in zip(above, below, strict=True)]
        if self._gamma != 1.0:
            factors = [_power(v, self._gamma) for v in factors]
        y = [share * factor for share, factor in zip(y, factors, strict=True)]
        return [0.0 if v < 2.0**-52 else v for v in y] if self._errors and self._beta < 1.0 else y

    def _error(self, x: "list[float]", y: "list[float]") -> float:
        """The root of twice the divergence."""
        beta = self._beta
        made = [dot(column, y) for column in self._columns]
        if beta == 2.0:
            return sqrt(total([(a - b) * (a - b) for a, b in zip(x, made, strict=True)]))
        pairs = [(a, max(b, TINY)) for a, b in zip(x, made, strict=True) if a > TINY]
        if beta == 1.0:
            apart = total([a * log(a / b) - a for a, b in pairs]) + dot(y, self._sums)
        elif beta == 0.0:
            apart = total([a / b - log(a / b) for a, b in pairs]) - len(x)
        else:
            whole = total([_power(v, beta) for v in made]) * (beta - 1.0)
            terms = [_power(a, beta) - beta * a * _power(b, beta - 1.0) for a, b in pairs]
            apart = (total(terms) + whole) / (beta * (beta - 1.0))
        return sqrt(max(2.0 * apart, 0.0))


def _power(v: float, p: float) -> float:
    """`v ** p` as C has it."""
    try:
        y = v**p
    except (OverflowError, ZeroDivisionError):
        return inf
    return y if isinstance(y, float) else nan


OPS = {"descent": Descent, "scaling": Scaling}
