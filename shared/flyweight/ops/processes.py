"""The mean of a Gaussian process: from numbers to one value an output.

Source: `GaussianProcessRegressor.predict` and the kernels of `sklearn.gaussian_process.kernels`, scikit-learn 1.9.
"""

from _operator import add, mul, truediv
from math import inf, nan, pi, sin, sqrt

from flyweight.ops._arithmetic import dot, exps, power
from flyweight.ops._kernel_values import distances, gaussians
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

JOINS = ("sum", "product")
LEAVES = {  # how many numbers each takes; those of SCALED take a length a feature besides
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
MATERN = {"matern_0.5": 1.0, "matern_1.5": sqrt(3), "matern_2.5": sqrt(5)}  # the factor of distances
SCALED = ("rbf", "matern_0.5", "matern_1.5", "matern_2.5", "quadratic")


class Mean:
    """`multiply * (weights @ kernel(x, points)) + add`, `weights` of shape (outputs, points).

    `kernel` lists the parts of the kernel in postfix order: leaves take their numbers from `numbers` one after the other,
    "power" takes one number, "sum" and "product" join the two parts before them. `parts` has each part's word, numbers and
    lengths, and the points over these lengths; `weights` a list an output, without the zeros at its end; `last` the pairs of
    `multiply` and `add`.

    :raises ModelRefused: the arrays do not fit each other, or `kernel` is not such a list.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        tensor = node.array("weights", "F64", (None, None))
        outputs, count = tensor.shape
        node.expect(outputs > 0 and count > 0, "it has no output, or no point")
        node.takes_usual(outputs)
        self.weights = [_without_last_zeros(tensor.values[i * count : (i + 1) * count]) for i in range(outputs)]
        self._points = [tuple(point) for point in node.rows("points", count, width)]
        self.last = list(zip(node.floats("multiply", outputs), node.floats("add", outputs), strict=True))
        self.parts: list[tuple[str, list[float], list[float], list[tuple[float, ...]]]] = []
        self._read_kernel(node, width)
        self.kinds = "n" * outputs

    def _read_kernel(self, node: "Node", width: int) -> None:
        """Read the parts of the kernel.

        :raises ModelRefused: a part is unknown, or parts and numbers do not fit each other.
        """
        numbers, at, depth, count = node.floats("numbers", None), 0, 0, len(self._points)
        words = node.items("kernel", (str,))
        node.expect(0 < len(words) <= 100, "'kernel' has no part, or more than 100")
        for word in words:
            node.expect(word in LEAVES or word == "power" or word in JOINS, f"'kernel' has an unknown part {word[:20]!r}")
            takes = LEAVES.get(word, 1 if word == "power" else 0)
            lengths = width if word in SCALED else 0
            node.expect(at + takes + lengths <= len(numbers), "'numbers' has too few for 'kernel'")
            joins = word in JOINS or word == "power"
            node.takes(count * (20 if joins else width + 20), values=count * width if lengths else 0)
            own, scales = numbers[at : at + takes], numbers[at + takes : at + takes + lengths]
            at += takes + lengths
            node.expect(0.0 not in scales and (word not in ("quadratic", "periodic") or 0.0 not in own), "a length is zero")
            ones = set(scales) <= {1.0}  # or there are no lengths
            scaled = self._points if ones else [tuple(map(truediv, point, scales)) for point in self._points]
            self.parts.append((word, own, scales, scaled))
            depth += 1 if word in LEAVES else -1 if word in JOINS else 0
            node.expect(depth >= 1, "'kernel' joins parts that are not there")
        node.expect(depth == 1 and at == len(numbers), "'kernel' leaves parts or numbers over")

    def _kernel(self, x: "list[float]") -> "list[float]":
        """Return the kernel's value at each point."""
        stack: list[list[float]] = []
        for word, own, scales, points in self.parts:
            if word in JOINS:
                other = stack.pop()
                stack[-1] = list(map(add if word == "sum" else mul, stack[-1], other))
            elif word == "power":
                stack[-1] = [power(v, own[0]) for v in stack[-1]]
            elif word in ("constant", "white"):  # noise is a row's own: no row counts as a training point
                stack.append([own[0] if own else 0.0] * len(points))
            elif word == "dot":
                stack.append([dot(x, point) + own[0] * own[0] for point in points])
            else:
                scaled = [*map(truediv, x, scales)] if scales else x
                if word == "rbf":
                    stack.append(gaussians(-0.5, scaled, points))
                else:
                    stack.append(stationary(word, own, [*distances(scaled, points)]))
        return stack[0]

    def row(self, x: "list[float]") -> "list[float]":
        """Return one mean an output."""
        values = self._kernel(x)
        pairs = zip(self.weights, self.last, strict=True)
        return [m * dot(weights, values[: len(weights)]) + a for weights, (m, a) in pairs]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        from flyweight.ops._distances import in_blocks

        return in_blocks(x, len(self._points), self._block)

    def _block(self, x: "Any") -> "Any":
        import numpy as np

        from flyweight.ops._distances import squares

        weights, multiply, add, parts = self._arrays
        stack: list[Any] = []
        for (word, own, _, _), (scales, points) in zip(self.parts, parts, strict=True):
            if word in JOINS:
                other = stack.pop()
                stack[-1] = stack[-1] + other if word == "sum" else stack[-1] * other
            elif word == "power":
                stack[-1] = stack[-1] ** own[0]
            elif word in ("constant", "white"):
                stack.append(np.float64(own[0] if own else 0.0))  # the same for each row and point
            elif word == "dot":
                stack.append(x @ points.T + own[0] * own[0])
            else:
                stack.append(_all_stationary(word, own, squares(x / scales, points)))
        return (np.broadcast_to(stack[0], (len(x), len(self._points))) @ weights.T) * multiply + add

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any, list[tuple[Any, Any]]]":
        """The weights, the factors and offsets of the sums, and each part's lengths (1 where it has none) and points."""
        import numpy as np

        multiply, add = np.array(self.last).reshape(-1, 2).T
        parts = [(np.array(scales or 1.0), np.array(points)) for _, _, scales, points in self.parts]
        weights = [row + [0.0] * (len(self._points) - len(row)) for row in self.weights]
        return np.array(weights), multiply, add, parts


def _without_last_zeros(row: "Any") -> "list[float]":
    """Return a row of a lower triangle without the zeros at its end, which add nothing to a sum."""
    filled: list[float] = row[: -(-len(row.tobytes().rstrip(b"\0")) // 8)].tolist()
    return filled


def stationary(word: str, own: "list[float]", apart: "list[float]") -> "list[float]":
    """Return the values of a part that depends on distances alone.

    :param word: the part's word.
    :param own: its numbers.
    :param apart: the distances, over the part's lengths.
    """
    if word == "rbf":
        return exps([-0.5 * d * d for d in apart])
    if word == "quadratic":
        return [power(1.0 + d * d / (2.0 * own[0]), -own[0]) for d in apart]
    if word == "periodic":
        length, period = own
        waves = [sin(d) / length if abs(d) < inf else nan for d in [pi / period * d for d in apart]]
        return exps([-2.0 * (wave * wave) for wave in waves])
    if word == "matern_0.5":
        return exps([-d for d in apart])
    steep = MATERN[word]
    parts = zip(apart, exps([-steep * d for d in apart]), strict=True)
    if word == "matern_1.5":
        return [(1.0 + steep * d) * e for d, e in parts]
    return [(1.0 + steep * d + steep * d * (steep * d) / 3.0) * e for d, e in parts]


def _all_stationary(word: str, own: "list[float]", square: "Any") -> "Any":
    """Return the values at an array of squared distances."""
    import numpy as np

    if word == "rbf":
        return np.exp(-0.5 * square)
    if word == "quadratic":
        return (1.0 + square / (2.0 * own[0])) ** -own[0]
    d = np.sqrt(square)
    if word == "periodic":
        wave = np.sin(pi / own[1] * d) / own[0]
        return np.exp(-2.0 * (wave * wave))
    d *= MATERN[word]
    values = np.exp(-d)
    if word == "matern_1.5":
        values *= 1.0 + d
    elif word == "matern_2.5":
        values *= 1.0 + d + d * d / 3.0
    return values


OPS = {"mean": Mean}
