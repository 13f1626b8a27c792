"""Log-densities of Gaussians, from numbers to one number a component.

Sources: `GaussianNB._joint_log_likelihood`, `QuadraticDiscriminantAnalysis._decision_function` and
`sklearn.mixture._gaussian_mixture._estimate_log_gaussian_prob`, scikit-learn 1.9. `constants` has all that does not depend on
the row: determinants, priors, weights.
"""

from functools import cached_property
from operator import mul, sub

from flyweight.ops._sums import dot, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


def rows_of(flat: "list[float]", rows: int, width: int) -> "list[list[float]]":
    """A flat array as `rows` lists of `width` numbers."""
    return [flat[row * width : (row + 1) * width] for row in range(rows)]


class _Components:
    """`constants` of shape (components,), `means` of shape (components, features)."""

    exact = False

    def __init__(self, node: "Node") -> None:
        self._width = node.numbers()
        self._constants = node.floats("constants", None)
        count = len(self._constants)
        node.expect(count > 0, "it has no component")
        self._means = rows_of(node.floats("means", count, self._width), count, self._width)
        self.kinds = "n" * count

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any]":
        """Constants, means, and what else there is of each component."""
        import numpy as np

        return np.array(self._constants), np.array(self._means), np.array(self._shapes())

    if TYPE_CHECKING:

        def _shapes(self) -> list[Any]:
            """What each component has beside its mean."""
            ...


class Diagonal(_Components):
    """`constant - sum((x - mean)^2 / variance) / 2`."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        flat = node.floats("variances", len(self._means), self._width)
        node.expect(0.0 not in flat, "'variances' has a zero")
        self._precisions = rows_of([1.0 / v for v in flat], len(self._means), self._width)
        self._components = list(zip(self._constants, self._means, self._precisions, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """One log-density a component."""
        found = []
        for constant, means, precisions in self._components:
            squares = [d * d for d in map(sub, x, means)]
            found.append(constant - 0.5 * dot(squares, precisions))
        return found

    def _shapes(self) -> "list[Any]":
        return self._precisions

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        constants, means, precisions = self._arrays
        distances = [((x - m) * (x - m) * p).sum(axis=1) for m, p in zip(means, precisions, strict=True)]
        return constants - 0.5 * np.stack(distances, axis=1)

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The terms are of one sign, so that their sum is their scale."""
        return [abs(constant) + abs(constant - v) for constant, v in zip(self._constants, self.row(x), strict=True)]


class Expanded(_Components):
    """`constant - (mean^2 p - 2 x mean p + x^2 p) / 2`, `precisions` p a feature, multiplied out as the mixtures do it."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._precisions = rows_of(node.floats("precisions", len(self._means), self._width), len(self._means), self._width)
        self._components = [
            (constant, total([m * m * p for m, p in pairs]), [*[-2.0 * (m * p) for m, p in pairs], *precisions])
            for constant, means, precisions in zip(self._constants, self._means, self._precisions, strict=True)
            for pairs in [list(zip(means, precisions, strict=True))]
        ]

    def row(self, x: "list[float]") -> "list[float]":
        """One log-density a component."""
        powers = [*x, *map(mul, x, x)]
        return [constant - 0.5 * (own + dot(weights, powers)) for constant, own, weights in self._components]

    def _shapes(self) -> "list[Any]":
        return self._precisions

    def batch(self, x: "Any") -> "Any":
        """The same of each row, by BLAS as the mixtures do it."""
        constants, means, precisions = self._arrays
        scaled = means * precisions
        return constants - 0.5 * ((means * scaled).sum(axis=1) - 2.0 * (x @ scaled.T) + (x * x) @ precisions.T)

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The sum of the terms' absolute values."""
        powers = [*x, *map(mul, x, x)]
        parts = [(constant, own, map(mul, weights, powers)) for constant, own, weights in self._components]
        return [abs(constant) + 0.5 * (abs(own) + total(map(abs, terms))) for constant, own, terms in parts]


class Whitened(_Components):
    """`constant - sum(((x - mean) @ factor)^2) / 2`, `factors` of shape (components or 1, axes, features), so transposed."""

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        shape = node.array("factors", "F64", (None, None, self._width)).shape
        count = len(self._means)
        node.expect(shape[0] in (1, count), "'factors' has neither one matrix nor one a component")
        axes = rows_of(node.floats("factors", *shape), shape[0] * shape[1], self._width)
        matrices = [axes[start * shape[1] : (start + 1) * shape[1]] for start in range(shape[0])]
        self._factors = matrices * count if shape[0] == 1 else matrices
        self._components = list(zip(self._constants, self._means, self._factors, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """One log-density a component."""
        found = []
        for constant, means, factors in self._components:
            apart = list(map(sub, x, means))
            y = [dot(axis, apart) for axis in factors]
            found.append(constant - 0.5 * dot(y, y))
        return found

    def _shapes(self) -> "list[Any]":
        return self._factors

    def batch(self, x: "Any") -> "Any":
        """The same of each row."""
        import numpy as np

        constants, means, factors = self._arrays
        axes = [(x - mean) @ factor.reshape(len(factor), self._width).T for mean, factor in zip(means, factors, strict=True)]
        return constants - 0.5 * np.stack([(y * y).sum(axis=1) for y in axes], axis=1)

    def magnitude(self, x: "list[float]") -> "list[float]":
        """The scale of the terms: along each axis `|x| + |mean|`, which the mixtures project one by one, then squared."""
        found = []
        for constant, means, factors in self._components:
            apart = [abs(v) + abs(m) for v, m in zip(x, means, strict=True)]
            y = [total(abs(w) * v for w, v in zip(axis, apart, strict=True)) for axis in factors]
            found.append(abs(constant) + 0.5 * total(map(mul, y, y)))
        return found


OPS = {"diagonal": Diagonal, "expanded": Expanded, "whitened": Whitened}
