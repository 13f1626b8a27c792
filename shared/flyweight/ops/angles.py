"""Find sparse codes by least angles: from a row's products with the atoms to a few coefficients (`_lars_path_solver`, 1.9).

The steps are scikit-learn's own, with its tolerances: of atoms that are nearly the same it leaves some out.
"""

from _operator import mul
from math import inf, sqrt

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._arithmetic import total
from flyweight.ops._sparse import RowByRow
from flyweight.ops.codes import EPSILON, backward, forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

EQUAL = 2.0**-23
TINY = 1.1754943508222875e-38
HUGE = Fault("numbers whose squares are finite", "larger ones")


class Path(RowByRow):
    """A path by least angles, which ends at `limit` or after `rounds` steps; `gram` are the atoms' products with each other.

    With `lasso` an atom whose coefficient comes to zero is left out again; with `positive` no coefficient is negative.

    :raises ModelRefused: `gram` is not square or not finite, `limits` are out of range, or there are too many atoms.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        count = node.numbers()
        self._gram = node.rows("gram", count, count)
        self._limit, self._scale = node.floats("limits", 2)
        self._rounds = node.whole("rounds", 1, 1_000_000)
        self._lasso, self._positive = (node.choice(name, (True, False)) for name in ("lasso", "positive"))
        finite = all(abs(v) < inf for row in self._gram for v in row)
        node.expect(finite and self._scale >= 1.0 and 0.0 <= self._limit < inf, "'gram' or 'limits' are out of range")
        node.expect(count**2 * min(self._rounds, 4 * count) <= 10_000_000, "has too many atoms")
        self.kinds = "n" * count

    def row(self, x: "list[float]") -> "list[float]":
        """Return one coefficient an atom.

        :raises InvalidInput: the products overflow, or the path has no end.
        """
        if not max(map(abs, x), default=0.0) < 1e150:
            raise InvalidInput(HUGE)
        walk = _Walk(self._gram, x, self._positive)
        for _ in range(20 * len(x) + 20):
            if not walk.step(self._limit, self._scale, self._rounds, self._lasso):
                return walk.code
        raise InvalidInput(Fault("a row with a code", "one whose path has no end"))


class _Walk:
    """The state of a path: the atoms, those that have entered first, and the products that are left of the others."""

    def __init__(self, gram: "list[list[float]]", x: "list[float]", positive: bool) -> None:
        self._gram, self._x, self._positive = gram, x, positive
        self._order = list(range(len(x)))  # the order into which the estimator swaps rows and columns of the products
        self._left = [*x]  # products of the atoms that have not entered
        self._signs: list[float] = []
        self._active: list[int] = []
        self._factor: list[list[float]] = []
        self._number, self._dropped = 0, False
        self.code, self._before = [0.0] * len(x), [0.0] * len(x)
        self._alpha, self._alpha_before = 0.0, 0.0

    def step(self, limit: float, scale: float, rounds: int, lasso: bool) -> bool:
        """Go on to the point where the next atom enters or one is left out.

        :returns: whether the path goes on.
        """
        left = self._left
        sizes = left if self._positive else [abs(v) for v in left]
        first = sizes.index(max(sizes)) if sizes else 0
        largest = sizes[first] if sizes else 0.0
        self._alpha = largest / scale
        if self._alpha <= limit + EQUAL:
            if abs(self._alpha - limit) > EQUAL and self._number:
                share = (self._alpha_before - limit) / (self._alpha_before - self._alpha)
                self.code = [old + share * (new - old) for old, new in zip(self._before, self.code, strict=True)]
            return False
        if self._number >= rounds or len(self._active) >= len(self._x):
            return False
        if not self._dropped and not self._enter(first):
            return True
        if lasso and self._number and self._alpha_before < self._alpha:
            return False
        self._go(largest, lasso)
        return True

    def _enter(self, first: int) -> bool:
        """Let the atom in, unless it is nearly a sum of the atoms that have entered.

        :returns: whether it entered.
        """
        order, left, place = self._order, self._left, len(self._active)
        sign = 1.0 if self._positive or left[first] > 0.0 else -1.0 if left[first] < 0.0 else 0.0
        left[first], left[0] = left[0], left[first]
        order[first + place], order[place] = order[place], order[first + place]
        atom = order[place]
        own = forward(self._factor, [self._gram[atom][i] for i in order[:place]])
        pivot = max(sqrt(abs(self._gram[atom][atom] - total(map(mul, own, own)))), EPSILON)
        if pivot < 1e-7:  # the estimator puts the products back, but not the order
            left[0] = 0.0
            left[first], left[0] = left[0], left[first]
            return False
        del left[0]
        self._signs.append(sign)
        self._factor.append([*own, pivot])
        self._active.append(atom)
        return True

    def _go(self, largest: float, lasso: bool) -> None:
        """Move the coefficients of the active atoms along their common angle.

        :raises InvalidInput: the products overflow.
        """
        signs, active = self._signs, self._active
        squares = backward(self._factor, forward(self._factor, signs))
        whole = total(map(mul, squares, signs))
        if not whole > 0.0:
            raise InvalidInput(HUGE)
        speed = 1.0 / sqrt(whole)
        ways = [v * speed for v in squares]
        others = self._order[len(active) :]
        turns = [total([self._gram[i][j] * way for i, way in zip(active, ways, strict=True)]) for j in others]
        turns = [round(v * 1e15) / 1e15 for v in turns]
        steps = [(largest - v) / _apart(speed - turn) for v, turn in zip(self._left, turns, strict=True)]
        if not self._positive:
            steps += [(largest + v) / _apart(speed + turn) for v, turn in zip(self._left, turns, strict=True)]
        length = min([v for v in steps if v > 0.0] + [largest / speed])
        zeros = [-self.code[i] / _apart(way) for i, way in zip(active, ways, strict=True)]
        nearest = min([v for v in zeros if v > 0.0], default=inf)
        self._dropped = nearest < length
        gone = [place for place, v in enumerate(zeros) if v == nearest][::-1] if self._dropped else []
        if self._dropped and lasso:
            length = nearest
        self._number += 1
        self._before, self._alpha_before = self.code, self._alpha
        self.code = [0.0] * len(self._x)
        for i, way in zip(active, ways, strict=True):
            self.code[i] = self._before[i] + length * way
        self._left = [v - length * turn for v, turn in zip(self._left, turns, strict=True)]
        for place in gone:
            signs[place] = -signs[place]
        if self._dropped and lasso:
            self._leave(gone)

    def _leave(self, gone: "list[int]") -> None:
        """Leave out the active atoms at these places."""
        left_out = [self._active.pop(place) for place in gone]
        for place in gone:
            del self._signs[place]
            self._order.insert(len(self._active), self._order.pop(place))
        rests = [self._x[i] - total(map(mul, self._gram[i], self.code)) for i in left_out]
        self._left = rests + self._left
        self._factor = []
        for place, atom in enumerate(self._active):
            own = forward(self._factor, [self._gram[atom][i] for i in self._active[:place]])
            self._factor.append([*own, max(sqrt(abs(self._gram[atom][atom] - total(map(mul, own, own)))), EPSILON)])


def _apart(v: float) -> float:
    """Return a divisor that is not zero."""
    return v + TINY or TINY


OPS = {"path": Path}
