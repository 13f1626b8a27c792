"""Log-densities of Gaussians: from numbers to one number a component.

Sources: `GaussianNB._joint_log_likelihood`, `QuadraticDiscriminantAnalysis._decision_function` and
`sklearn.mixture._gaussian_mixture._estimate_log_gaussian_prob`, scikit-learn 1.9. `constants` are the terms that do not depend
on the row: determinants, priors, weights.
"""

from _operator import mul, sub

from flyweight.ops import rows_of
from flyweight.ops._arithmetic import dot, total
from flyweight.ops._lazy import cached_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node


class _Components:
    """Gaussians with `constants` of shape (components,) and `means` of shape (components, features).

    :raises ModelRefused: there is no component, or the arrays have other shapes.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self._width = node.numbers()
        self.constants = node.floats("constants", None)
        count = len(self.constants)
        node.expect(count > 0, "it has no component")
        self._means = node.rows("means", count, self._width)
        self.kinds = "n" * count

    @cached_property
    def _arrays(self) -> "tuple[Any, Any, Any]":
        """The constants, the means and the shapes."""
        import numpy as np

        return np.array(self.constants), np.array(self._means), np.array(self._shapes())

    if TYPE_CHECKING:

        def _shapes(self) -> list[Any]:
            """Return the precisions or factors, one item a component."""
            ...


class Diagonal(_Components):
    """`constant - sum((x - mean)^2 / variance) / 2`.

    :raises ModelRefused: `variances` has another shape, or a zero.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        flat = node.floats("variances", len(self._means), self._width)
        node.expect(0.0 not in flat, "'variances' has a zero")
        self._precisions = rows_of([1.0 / v for v in flat], len(self._means), self._width)
        self._components = list(zip(self.constants, self._means, self._precisions, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one log-density a component."""
        densities = []
        for constant, means, precisions in self._components:
            squares = [d * d for d in map(sub, x, means)]
            densities.append(constant - 0.5 * dot(squares, precisions))
        return densities

    def _shapes(self) -> "list[Any]":
        return self._precisions

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        constants, means, precisions = self._arrays
        distances = [((x - m) * (x - m) * p).sum(axis=1) for m, p in zip(means, precisions, strict=True)]
        return constants - 0.5 * np.stack(distances, axis=1)


class Expanded(_Components):
    """`constant - (mean^2 p - 2 x mean p + x^2 p) / 2`, multiplied out as the mixtures do it; `precisions` has p.

    `components` has for each component the constant, the term without x, and the weights of x and of its squares.

    :raises ModelRefused: `precisions` has another shape.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        self._precisions = node.rows("precisions", len(self._means), self._width)
        self.components = [
            (constant, total([m * m * p for m, p in pairs]), [*[-2.0 * (m * p) for m, p in pairs], *precisions])
            for constant, means, precisions in zip(self.constants, self._means, self._precisions, strict=True)
            for pairs in [list(zip(means, precisions, strict=True))]
        ]

    def row(self, x: "list[float]") -> "list[float]":
        """Return one log-density a component."""
        powers = [*x, *map(mul, x, x)]
        return [constant - 0.5 * (own + dot(weights, powers)) for constant, own, weights in self.components]

    def _shapes(self) -> "list[Any]":
        return self._precisions

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array, by BLAS as the mixtures do it."""
        constants, means, precisions = self._arrays
        scaled = means * precisions
        return constants - 0.5 * ((means * scaled).sum(axis=1) - 2.0 * (x @ scaled.T) + (x * x) @ precisions.T)


class Whitened(_Components):
    """`constant - sum(((x - mean) @ factor)^2) / 2`; `factors` are transposed, of shape (components or 1, axes, features).

    `components` has for each component the constant, the means and the factor.

    :raises ModelRefused: `factors` has neither one matrix nor one a component.
    """

    def __init__(self, node: "Node") -> None:
        super().__init__(node)
        shape = node.array("factors", "F64", (None, None, self._width)).shape
        count = len(self._means)
        node.expect(shape[0] in (1, count), "'factors' has neither one matrix nor one a component")
        node.takes_usual(0)
        node.takes(count * (shape[1] + 1) * (self._width + 20), values=count * shape[1] * self._width if shape[0] == 1 else 0)
        axes = rows_of(node.floats("factors", *shape), shape[0] * shape[1], self._width)
        matrices = [axes[start * shape[1] : (start + 1) * shape[1]] for start in range(shape[0])]
        self._factors = matrices * count if shape[0] == 1 else matrices
        self.components = list(zip(self.constants, self._means, self._factors, strict=True))

    def row(self, x: "list[float]") -> "list[float]":
        """Return one log-density a component."""
        densities = []
        for constant, means, factors in self.components:
            apart = list(map(sub, x, means))
            y = [dot(axis, apart) for axis in factors]
            densities.append(constant - 0.5 * dot(y, y))
        return densities

    def _shapes(self) -> "list[Any]":
        return self._factors

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        constants, means, factors = self._arrays
        squares = []
        for mean, factor in zip(means, factors, strict=True):
            y = (x - mean) @ factor.reshape(len(factor), self._width).T
            squares.append((y * y).sum(axis=1))
        return constants - 0.5 * np.stack(squares, axis=1)


OPS = {"diagonal": Diagonal, "expanded": Expanded, "whitened": Whitened}
