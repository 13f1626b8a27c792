"""The mean of a Gaussian process, from numbers to one value an output.

Source: `GaussianProcessRegressor.predict` and the kernels of `sklearn.gaussian_process.kernels`, scikit-learn 1.9.
"""

from functools import cached_property
from math import inf, nan, pi, sin, sqrt
from operator import mul

from flyweight.ops._overflow import exp, power
from flyweight.ops._sums import total
from flyweight.ops.gaussian import rows_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

    Pair = tuple[float, float]  # a kernel's value, and the scale of the terms that made it

JOINS = ("sum", "product")
LEAVES = {  # how many numbers each takes beside the lengths, of which it takes one a feature
    "constant": 1,
    "white": 0,
    "dot": 1,
    "rbf": 0,
    "matern_0.5": 0,
    "matern_1.5": 0,
    "matern_2.5": 0,
    "quadratic": 1,
    "periodic": 2,
}
SCALED = ("rbf", "matern_0.5", "matern_1.5", "matern_2.5", "quadratic")


class Mean:
    """`multiply * (weights @ kernel(x, points)) + add`, `weights` of shape (outputs, points).

    `kernel` lists the parts of the kernel in postfix order: leaves take their numbers from `numbers` one after the other,
    "power" takes one, "sum" and "product" join the two before them.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        outputs, count = node.array("weights", "F64", (None, None)).shape
        self._weights = rows_of(node.floats("weights", outputs, count), outputs, count)
        self._points = rows_of(node.floats("points", count, width), count, width)
        self._last = list(zip(node.floats("multiply", outputs), node.floats("add", outputs), strict=True))
        self._parts: list[tuple[str, list[float], list[float], list[list[float]]]] = []
        self._read_kernel(node, width)
        self.kinds = "n" * outputs

    def _read_kernel(self, node: "Node", width: int) -> None:
        numbers, at, depth = node.floats("numbers", None), 0, 0
        words = node.items("kernel", (str,))
        node.expect(0 < len(words) <= 100, "'kernel' has no part, or more than 100")
        for word in words:
            node.expect(word in LEAVES or word == "power" or word in JOINS, f"'kernel' has an unknown part {word[:20]!r}")
            takes = LEAVES.get(word, 1 if word == "power" else 0)
            lengths = width if word in SCALED else 0
            node.expect(at + takes + lengths <= len(numbers), "'numbers' has too few for 'kernel'")
            own, scales = numbers[at : at + takes], numbers[at + takes : at + takes + lengths]
            at += takes + lengths
            node.expect(0.0 not in scales and (word not in ("quadratic", "periodic") or 0.0 not in own), "a length is zero")
            scaled = [[v / scale for v, scale in zip(p, scales, strict=True)] for p in self._points] if scales else self._points
            self._parts.append((word, own, scales, scaled))
            depth += 1 if word in LEAVES else -1 if word in JOINS else 0
            node.expect(depth >= 1, "'kernel' joins what is not there")
        node.expect(depth == 1 and at == len(numbers), "'kernel' leaves parts or numbers over")

    def _kernel(self, x: "list[float]") -> "list[Pair]":
        stack: list[list[Pair]] = []
        for word, own, scales, points in self._parts:
            if word == "sum":
                other = stack.pop()
                stack[-1] = [(a + b, s + t) for (a, s), (b, t) in zip(stack[-1], other, strict=True)]
            elif word == "product":
                other = stack.pop()
                stack[-1] = [(a * b, s * t) for (a, s), (b, t) in zip(stack[-1], other, strict=True)]
            elif word == "power":
                stack[-1] = [(power(a, own[0]), power(s, own[0])) for a, s in stack[-1]]
            elif word == "dot":
                products = [[v * w for v, w in zip(x, point, strict=True)] for point in points]
                sigma = own[0] * own[0]
                stack.append([(total(terms) + sigma, total(map(abs, terms)) + sigma) for terms in products])
            else:
                scaled = [v / scale for v, scale in zip(x, scales, strict=True)] if scales else x
                stack.append([_stationary(word, own, _square(scaled, point)) for point in points])
        return stack[0]

    def row(self, x: "list[float]") -> "list[float]":
        """The means."""
        values = [value for value, _ in self._kernel(x)]
        return [m * total(map(mul, weights, values)) + a for weights, (m, a) in zip(self._weights, self._last, strict=True)]

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, len(self._points), self._block)

    def _block(self, x: "Any") -> "Any":
        from flyweight.ops._distances import squares

        weights, multiply, add, parts = self._arrays
        stack: list[Any] = []
        for (word, own, _, _), (scales, points) in zip(self._parts, parts, strict=True):
            if word in JOINS:
                other = stack.pop()
                stack[-1] = stack[-1] + other if word == "sum" else stack[-1] * other
            elif word == "power":
                stack[-1] = stack[-1] ** own[0]
            elif word == "dot":
                stack.append(x @ points.T + own[0] * own[0])
            else:
                stack.append(_all_stationary(word, own, squares(x / scales, points)))
        return (stack[0] @ weights.T) * multiply + add

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any, list[tuple[Any, Any]]]":
        """Weights, what multiplies the sums, what is added, and each part's lengths (1 for none) and points."""
        import numpy as np

        multiply, add = np.array(self._last).reshape(-1, 2).T
        parts = [(np.array(scales or 1.0), np.array(points)) for _, _, scales, points in self._parts]
        return np.array(self._weights), multiply, add, parts

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' scales."""
        scales = [scale for _, scale in self._kernel(x)]
        return [
            abs(m) * total([abs(w) * s for w, s in zip(weights, scales, strict=True)]) + abs(a)
            for weights, (m, a) in zip(self._weights, self._last, strict=True)
        ]


def _square(x: "list[float]", point: "list[float]") -> float:
    apart = [v - p for v, p in zip(x, point, strict=True)]
    return total(map(mul, apart, apart))


def _stationary(word: str, own: "list[float]", square: float) -> "Pair":
    """The value at a squared distance; rounding of the distance makes it wrong by its scale, value times argument."""
    if word == "constant":
        return own[0], abs(own[0])
    if word == "white":  # noise is a row's own: no row is a point that was trained on
        return 0.0, 0.0
    if word == "rbf":
        return _with_scale(exp(-0.5 * square), square)
    if word == "quadratic":
        value = power(1.0 + square / (2.0 * own[0]), -own[0])
        return _with_scale(value, own[0])
    d = sqrt(square)
    if word == "periodic":
        length, period = own
        argument = pi / period * d
        wave = sin(argument) / length if abs(argument) < inf else nan
        return exp(-2.0 * (wave * wave)), 1.0 + abs(argument / length)
    if word == "matern_0.5":
        return _with_scale(exp(-d), d)
    if word == "matern_1.5":
        d *= sqrt(3)
        return _with_scale((1.0 + d) * exp(-d), d)
    d *= sqrt(5)
    return _with_scale((1.0 + d + d * d / 3.0) * exp(-d), d)


def _all_stationary(word: str, own: "list[float]", square: "Any") -> "Any":
    """The values at squared distances."""
    import numpy as np

    if word in ("constant", "white"):
        return np.full_like(square, own[0] if own else 0.0)
    if word == "rbf":
        return np.exp(-0.5 * square)
    if word == "quadratic":
        return (1.0 + square / (2.0 * own[0])) ** -own[0]
    d = np.sqrt(square)
    if word == "periodic":
        wave = np.sin(pi / own[1] * d) / own[0]
        return np.exp(-2.0 * (wave * wave))
    d *= {"matern_0.5": 1.0, "matern_1.5": sqrt(3), "matern_2.5": sqrt(5)}[word]
    front = {"matern_0.5": 1.0, "matern_1.5": 1.0 + d, "matern_2.5": 1.0 + d + d * d / 3.0}[word]
    return front * np.exp(-d)


def _with_scale(value: float, argument: float) -> "Pair":
    return value, abs(value) * (1.0 + abs(argument)) if value else 0.0


OPS = {"mean": Mean}
