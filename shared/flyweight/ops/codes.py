"""Find sparse codes: a row as a few atoms of a dictionary (`sklearn.decomposition.sparse_encode`, 1.9)."""

from _operator import mul
from math import inf, sqrt

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._arithmetic import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

EPSILON = 2.0**-52


class Pursuit:
    """Orthogonal matching pursuit of up to `atoms` atoms, from the row's products with the atoms (`_gram_omp`).

    `gram` has the atoms' products with each other.

    :raises ModelRefused: `gram` is not square, has an atom of no length, or there are too many atoms.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        count = node.numbers()
        self._gram = node.rows("gram", count, count)
        self._max_atoms = node.whole("atoms", 1, max(1, count))
        node.takes(5 * (count + self._max_atoms) * self._max_atoms**2 + count * count)
        positive = all(0.0 < row[i] < inf for i, row in enumerate(self._gram))
        node.expect(count > 0 and positive, "'gram' has an atom of no length")
        self.kinds = "n" * count

    def row(self, x: "list[float]") -> "list[float]":
        """Return one coefficient an atom.

        :raises InvalidInput: the products overflow; the estimator refuses numbers that are not finite.
        """
        chosen: list[int] = []
        factor: list[list[float]] = []
        code: list[float] = []
        rest = x
        while len(chosen) < self._max_atoms:
            sizes = [abs(v) for v in rest]
            best = sizes.index(max(sizes))
            if not sizes[best] < 1e150:
                raise InvalidInput(Fault("numbers whose squares are finite", "larger ones"))
            if best in chosen or sizes[best] * sizes[best] < EPSILON:
                break
            own = forward(factor, [self._gram[best][i] for i in chosen])
            pivot = self._gram[best][best] - total(map(mul, own, own))
            if chosen and pivot <= EPSILON:
                break
            factor.append([*own, sqrt(pivot)])
            chosen.append(best)
            code = backward(factor, forward(factor, [x[i] for i in chosen]))
            rest = [
                v - total([c * row[i] for c, i in zip(code, chosen, strict=True)]) for v, row in zip(x, self._gram, strict=True)
            ]
        coefficients = dict(zip(chosen, code, strict=True))
        return [coefficients.get(atom, 0.0) for atom in range(len(x))]


def forward(factor: "list[list[float]]", right: "list[float]") -> "list[float]":
    """Solve `factor @ y = right`, `factor` the rows of a lower triangle."""
    y: list[float] = []
    for row, v in zip(factor, right, strict=True):
        y.append((v - total([a * b for a, b in zip(row, y, strict=False)])) / row[-1])
    return y


def backward(factor: "list[list[float]]", right: "list[float]") -> "list[float]":
    """Solve `factor.T @ y = right`, `factor` the rows of a lower triangle."""
    y = [*right]
    for i in reversed(range(len(y))):
        y[i] = (y[i] - total([factor[j][i] * y[j] for j in range(i + 1, len(y))])) / factor[i][i]
    return y


class Shrink:
    """Each product moved by `by` towards zero, and no further (the algorithm "threshold").

    :raises ModelRefused: `by` is not one number.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        (self._by,) = node.floats("by", 1)

    def row(self, x: "list[float]") -> "list[float]":
        """Return one coefficient an atom."""
        by = self._by
        return [v - by if v > by else v + by if v < -by else 0.0 for v in x]


class Halves:
    """The positive parts of all columns, then with `both` the negative parts, turned positive (`split_sign`).

    :raises ModelRefused: `both` is not true or false.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._both = node.choice("both", (True, False))
        self.kinds = "n" * (2 * width if self._both else width)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the parts."""
        return [max(v, 0.0) for v in x] + ([max(-v, 0.0) for v in x] if self._both else [])


OPS = {"pursuit": Pursuit, "shrink": Shrink, "halves": Halves}
