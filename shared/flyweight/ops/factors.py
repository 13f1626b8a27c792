"""Find a row's shares of nonnegative parts whose sum it is (`sklearn.decomposition._nmf`, 1.9).

The steps are scikit-learn's own for a single row; with several rows it stops when all of them together change little.
"""

from math import inf, log, sqrt

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._arithmetic import dot, power, total
from flyweight.ops._sparse import RowByRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

TINY = 2.0**-23  # replaces zero as a divisor


class _Factors(RowByRow):
    """Both solvers' base: `parts` of shape (parts, features), and their products with each other, `gram`.

    :raises ModelRefused: `parts` is empty, negative or not finite, or takes too many products.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        count = node.array("parts", "F64", (None, width)).shape[0]
        self._rounds = node.whole("rounds", 1, 1_000_000)
        node.takes(self._steps(count, width), values=count * count)
        self.parts = node.rows("parts", None, width)
        node.expect(count > 0 and width > 0, "'parts' has no part, or no feature")
        node.expect(all(0.0 <= v < inf for part in self.parts for v in part), "'parts' are negative, or not finite")
        self._columns = [list(column) for column in zip(*self.parts, strict=True)]
        self.gram = [[dot(a, b) for b in self.parts] for a in self.parts]
        # the tolerance, then the penalties of a share and of its square
        self._tolerance, self._flat, self._steep = node.floats("limits", 3)
        self.kinds = "n" * count

    def _steps(self, count: int, width: int) -> int:
        """Return the steps of loading and of a row; a product of two rows takes 20 beside one a number."""
        return count * count * (width + 20) + self._rounds * count * (count + 20)


class Descent(_Factors):
    """Coordinate descent: each share in turn is set to its best value while the others are held.

    `orders`, of shape (rounds, parts), has the order of the parts in each round; without it they are taken in their own order.

    :raises ModelRefused: `parts` is not valid, or `orders` has another shape or an index out of range.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        count = len(self.parts)
        flat = node.indices("orders", count, self._rounds, count) if node.has("orders") else []
        self._orders = [flat[start : start + count] for start in range(0, len(flat), count)]
        for i, row in enumerate(self.gram):
            row[i] += self._steep

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a part.

        :raises InvalidInput: a number is negative; the estimator refuses it as well.
        """
        if min(x) < 0.0:
            raise InvalidInput(NEGATIVE)
        count, first = len(self.parts), 0.0
        aims = [dot(part, x) - self._flat for part in self.parts]
        y = [0.0] * count
        for number in range(self._rounds):
            violation = 0.0
            for i in self._orders[number] if self._orders else range(count):
                own = self.gram[i]
                slope = dot(own, y) - aims[i]
                violation += abs(min(0.0, slope) if y[i] == 0.0 else slope)
                if own[i] != 0.0:
                    y[i] = max(y[i] - slope / own[i], 0.0)
            first = first or violation
            if not first or violation / first <= self._tolerance:
                break
        return y


NEGATIVE = Fault("numbers that are not negative", "a negative number")
ZERO = Fault("numbers above zero", "a zero")
APART = Fault("numbers that are sums of the model's parts", "numbers whose shares are not finite")


class Scaling(_Factors):
    """Multiplicative updates: all shares at once, each times a factor, until they change little.

    With `errors` the error is compared instead, every tenth round. `powers` are `beta`, the divergence that is minimised (2 is
    the squared error), and `gamma`, the power of the factors.

    :raises ModelRefused: `parts` is not valid, or `powers` is out of range.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._beta, self._gamma = node.floats("powers", 2)
        node.expect(abs(self._beta) <= 100.0 and 0.0 < self._gamma <= 1.0, "'powers' are out of range")
        self._errors = node.choice("errors", (True, False))
        self._sums = [total(part) for part in self.parts]

    def _steps(self, count: int, width: int) -> int:
        """Return the steps of loading and of a row; a power takes 10, and the products with all parts are made three times."""
        return super()._steps(count, width) + self._rounds * width * (3 * count + 30)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one share a part.

        :raises InvalidInput: a number is negative, or no shares can be found. NMF refuses such rows too; MiniBatchNMF was fitted
            on no such row, and answers it with the rounding errors of quotients near zero.
        """
        least = min(x)
        if least < 0.0:
            raise InvalidInput(NEGATIVE)
        if self._errors and self._beta <= 0.0 and least == 0.0:
            raise InvalidInput(ZERO)
        y = [sqrt(total(x) / len(x) / len(self.parts))] * len(self.parts)
        aims, sums = [dot(part, x) for part in self.parts], self._sums
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
        """Return the numerators and denominators of the factors, one a part."""
        beta = self._beta
        if beta == 2.0:
            return aims, [dot(own, y) for own in self.gram]
        made = [dot(column, y) for column in self._columns]
        safe = [max(v, TINY) for v in made] if beta < 2.0 else made
        scaled = [a * power(v, beta - 2.0) for a, v in zip(x, safe, strict=True)]
        above = [dot(part, scaled) for part in self.parts]
        if beta == 1.0:
            return above, sums
        powers = [power(max(v, TINY) if beta < 1.0 else v, beta - 1.0) for v in made]
        return above, [dot(part, powers) for part in self.parts]

    def _scaled(self, y: "list[float]", above: "list[float]", below: "list[float]") -> "list[float]":
        """Return the shares times their factors, `above` over `below`."""
        if self._steep > 0.0:
            below = [v + self._steep * share for v, share in zip(below, y, strict=True)]
        factors = [a / (b or TINY) for a, b in zip(above, below, strict=True)]
        if self._gamma != 1.0:
            factors = [power(v, self._gamma) for v in factors]
        y = [share * factor for share, factor in zip(y, factors, strict=True)]
        return [0.0 if v < 2.0**-52 else v for v in y] if self._errors and self._beta < 1.0 else y

    def _error(self, x: "list[float]", y: "list[float]") -> float:
        """Return the root of twice the divergence."""
        beta = self._beta
        made = [dot(column, y) for column in self._columns]
        if beta == 2.0:
            return sqrt(total([(a - b) * (a - b) for a, b in zip(x, made, strict=True)]))
        pairs = [(a, max(b, TINY)) for a, b in zip(x, made, strict=True) if a > TINY]
        if beta == 1.0:
            apart = total([a * _log(a / b) - a for a, b in pairs]) + dot(y, self._sums)
        elif beta == 0.0:
            apart = total([a / b - _log(a / b) for a, b in pairs]) - len(x)
        else:
            whole = total([power(v, beta) for v in made]) * (beta - 1.0)
            terms = [power(a, beta) - beta * a * power(b, beta - 1.0) for a, b in pairs]
            apart = (total(terms) + whole) / (beta * (beta - 1.0))
        return sqrt(max(2.0 * apart, 0.0))


def _log(v: float) -> float:
    """Return the logarithm of a quotient, which is 0 where its divisor is infinite."""
    return log(v) if v > 0.0 else -inf if v == 0.0 else v


OPS = {"descent": Descent, "scaling": Scaling}
