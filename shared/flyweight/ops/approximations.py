"""Make features whose products approximate a kernel (`sklearn.kernel_approximation`, 1.9)."""

from _operator import mul
from math import cos, cosh, inf, log, nan, pi, sin, sqrt

from flyweight.errors import Fault, InvalidInput, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.ops import Node


class AdditiveChi2:
    """The square root of each number, then its waves: `steps` of them, `interval` apart (AdditiveChi2Sampler).

    :raises ModelRefused: `interval` or `steps` is out of range, or `names` does not have one name a column.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.steps = node.whole("steps", 1, 1000)
        (self.interval,) = node.floats("interval", 1)
        node.expect(self.interval > 0.0 and self.interval < inf, "'interval' is not above zero")
        self._names = node.items("names", (str,), width)
        node.takes(30 * width * (2 * self.steps - 1) + 50)
        self.kinds = "n" * (width * (2 * self.steps - 1))
        self._damping = [_cosh(pi * step * self.interval) for step in range(1, self.steps)]

    def row(self, x: "list[float]") -> "list[float]":
        """Return all roots, then for each step all cosines and all sines.

        :raises InvalidInput: a number is below zero or missing.
        """
        for place, v in enumerate(x):
            if not v >= 0.0:
                raise InvalidInput(Fault("a number that is not below 0", preview(v), feature=self._names[place]))
        y = [sqrt(v * self.interval) for v in x]
        angles = [self.interval * log(v) if v else 0.0 for v in x]
        for step, damping in enumerate(self._damping, start=1):
            factors = [sqrt(2.0 * v * self.interval / damping) for v in x]
            turned = [step * a if abs(step * a) < inf else nan for a in angles]
            y += map(mul, factors, map(cos, turned))
            y += map(mul, factors, map(sin, turned))
        return y


def _cosh(v: float) -> float:
    try:
        return cosh(v)
    except OverflowError:
        return inf


class Sketch:
    """The product of `degree` count sketches as polynomials modulo `z ** width - 1` (PolynomialCountSketch).

    Feature j, times `factor`, goes to column `index[d, j]` of sketch d with the sign `sign[d, j]`; a last, constant feature is
    `constant` where the array is there.

    :raises ModelRefused: the arrays differ in shape, an index is out of range, or the sketch takes too many products.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._width = node.whole("width", 1, 1_000_000)
        self.constant = node.floats("constant", 1) if node.has("constant") else []
        features = node.numbers() + len(self.constant)
        self.degree = degree = node.array("index", "I32", (None, features)).shape[0]
        index = node.indices("index", self._width, degree, features)
        sign = node.floats("sign", degree, features)
        (self.factor,) = node.floats("factor", 1)
        work = degree * self._width * min(self._width, max(1, features))
        node.expect(work > 0, "has no sketch")
        node.takes(15 * work + 10 * degree * features)  # products by way of dictionaries
        spans = [slice(d * features, (d + 1) * features) for d in range(degree)]
        self._sketches = [list(zip(index[span], sign[span], strict=True)) for span in spans]
        self.kinds = "n" * self._width

    def row(self, x: "list[float]") -> "list[float]":
        """Return the coefficients of the product."""
        return self._product([self.factor * v for v in x] + self.constant)

    def _product(self, x: "list[float]") -> "list[float]":
        product, *others = [self._terms(x, sketch) for sketch in self._sketches]
        for terms in others:
            grown: dict[int, float] = {}
            for a, v in product.items():
                for b, w in terms.items():
                    place = (a + b) % self._width
                    grown[place] = grown.get(place, 0.0) + v * w
            product = grown
        coefficients = [0.0] * self._width
        for column, v in product.items():
            coefficients[column] = v
        return coefficients

    def _terms(self, x: "list[float]", sketch: "list[tuple[int, float]]") -> "dict[int, float]":
        terms: dict[int, float] = {}
        for v, (column, sign) in zip(x, sketch, strict=True):
            terms[column] = terms.get(column, 0.0) + sign * v
        return terms


OPS = {"additive_chi2": AdditiveChi2, "sketch": Sketch}
