"""Sparse codes: a row as a few atoms of a dictionary (`sklearn.decomposition.sparse_encode`, 1.9)."""

from math import inf, sqrt
from operator import mul

from flyweight.errors import Fault, InvalidInput
from flyweight.ops._sums import total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node

EPSILON = 2.0**-52


class Pursuit:
    """Orthogonal matching pursuit of up to `atoms` atoms from products with them and theirs, `gram` (`_gram_omp`)."""

    exact = False

    def __init__(self, node: "Node") -> None:
        count = node.numbers()
        self._gram = rows_of(node.floats("gram", count, count), count, count)
        self._most = node.whole("atoms", 1, max(1, count))
        node.expect(count * self._most**2 <= 10_000_000, "has too many atoms to pursue")
        positive = all(0.0 < row[i] < inf for i, row in enumerate(self._gram))
        node.expect(count > 0 and positive, "'gram' has an atom of no length")
        self.kinds = "n" * count

    def row(self, x: "list[float]") -> "list[float]":
        """One coefficient an atom.

        :raises InvalidInput: products that overflow; the estimator refuses what is not finite.
        """
        chosen: list[int] = []
        factor: list[list[float]] = []
        code: list[float] = []
        rest = x
        while len(chosen) < self._most:
            sizes = [abs(v) for v in rest]
            best = sizes.index(max(sizes))
            if not sizes[best] < 1e150:
                raise InvalidInput(Fault("numbers whose squares are finite", "larger ones"))
            if best in chosen or sizes[best] * sizes[best] < EPSILON:
                break
            own = _forward(factor, [self._gram[best][i] for i in chosen])
            pivot = self._gram[best][best] - total(map(mul, own, own))
            if chosen and pivot <= EPSILON:
                break
            factor.append([*own, sqrt(pivot)])
            chosen.append(best)
            code = _backward(factor, _forward(factor, [x[i] for i in chosen]))
            rest = [
                v - total([c * row[i] for c, i in zip(code, chosen, strict=True)]) for v, row in zip(x, self._gram, strict=True)
            ]
        found = dict(zip(chosen, code, strict=True))
        return [found.get(atom, 0.0) for atom in range(len(x))]

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The largest product: what rounding does to it, it does to the code."""
        return [max(map(abs, x), default=0.0)]


def _forward(factor: "list[list[float]]", right: "list[float]") -> "list[float]":
    y: list[float] = []
    for row, v in zip(factor, right, strict=True):
        y.append((v - total([a * b for a, b in zip(row, y, strict=False)])) / row[-1])
    return y


def _backward(factor: "list[list[float]]", right: "list[float]") -> "list[float]":
    y = [*right]
    for i in reversed(range(len(y))):
        y[i] = (y[i] - total([factor[j][i] * y[j] for j in range(i + 1, len(y))])) / factor[i][i]
    return y


class Shrink:
    """Each product nearer to zero by `by`, and no further (the algorithm "threshold")."""

    exact = True

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        (self._by,) = node.floats("by", 1)

    def row(self, x: "list[float]") -> "list[float]":
        """One coefficient an atom."""
        by = self._by
        return [v - by if v > by else v + by if v < -by else 0.0 for v in x]


class Halves:
    """The positive parts of all columns, then the negative ones turned positive (`split_sign`), or only the first."""

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self._both = node.choice("both", (True, False))
        self.kinds = "n" * (2 * width if self._both else width)

    def row(self, x: "list[float]") -> "list[float]":
        """The parts."""
        return [max(v, 0.0) for v in x] + ([max(-v, 0.0) for v in x] if self._both else [])


OPS = {"pursuit": Pursuit, "shrink": Shrink, "halves": Halves}
