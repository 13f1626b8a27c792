"""Measure the distance of two rows, summed in scikit-learn 1.9's order.

Sources: `sklearn.metrics._dist_metrics`, and for metrics of brute force alone `sklearn.metrics.pairwise` and SciPy's `cdist`.
A reduced distance leaves out the root: it ranks points as the distance does, and trees and heaps compare it.
"""

from _operator import add, mul, ne, sub
from functools import partial, reduce
from math import asin, cos, inf, nan, sin, sqrt

from flyweight.ops._arithmetic import dot, power, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node

    Number = Callable[[float], float]
    Prepare = Callable[[list[float]], Any]


class Metric:
    """A distance between two rows, as functions.

    :param reduced: from two prepared rows to their reduced distance.
    :param distance: from a reduced distance to the distance.
    :param reduce: from a distance to the reduced distance.
    :param prepare: from a row to the form that `reduced` takes.
    :param batch: from arrays of rows and points to reduced distances of shape (rows, points), right up to `slack`; None where
        rows are answered one by one.
    :param root: the distance is this root of the value of `batch`.
    :param straight: reduced distances are squares, whose roots `math.dist` finds faster, but not to the last bit.
    """

    def __init__(
        self,
        reduced: "Callable[[Any, Any], float]",
        distance: "Number" = float,
        reduce: "Number" = float,
        prepare: "Prepare" = tuple,
        batch: "Callable[[Any, Any], Any] | None" = None,
        root: float = 1.0,
        slack: float = 0.0,
        straight: bool = False,
    ) -> None:
        self.reduced, self.distance, self.reduce, self.prepare = reduced, distance, reduce, prepare
        self.batch, self.root, self.slack, self.straight = batch, root, slack, straight


def metric_of(node: "Node", width: int) -> Metric:
    """Return the metric that a node names, over rows of this width.

    :raises ModelRefused: the metric is unknown, or an array that it needs is not valid.
    """
    name: str = node.choice("metric", (*_SIMPLE, *_COUNTED, *_MADE))
    if name in _COUNTED:
        return Metric(_COUNTED[name](width), prepare=_mask)
    return _MADE[name](node, width) if name in _MADE else _SIMPLE[name]()


def _squares(x: "list[float]", point: "list[float]") -> float:
    apart = list(map(sub, x, point))
    return reduce(add, map(mul, apart, apart), 0.0)


def _sizes(x: "list[float]", point: "list[float]") -> float:
    return reduce(add, map(abs, map(sub, x, point)), 0.0)


def _largest(x: "list[float]", point: "list[float]") -> float:
    return max(map(abs, map(sub, x, point)), default=0.0)


def _canberra(x: "list[float]", point: "list[float]") -> float:
    d = 0.0
    for a, b in zip(x, point, strict=True):
        both = abs(a) + abs(b)
        if both > 0.0:
            d += abs(a - b) / both
    return d


def _bray_curtis(x: "list[float]", point: "list[float]") -> float:
    both = reduce(add, map(add, map(abs, x), map(abs, point)), 0.0)
    return _sizes(x, point) / both if both > 0.0 else 0.0


def _hamming(x: "list[float]", point: "list[float]") -> float:
    return float(sum(map(ne, x, point))) / len(x)


def _common(x: "list[float]", point: "list[float]") -> float:
    """Return the squares over the columns that both rows have, scaled to all columns; NaN where none exists."""
    apart = [d for d in map(sub, x, point) if d == d]
    return dot(apart, apart) / len(apart) * len(x) if apart else nan


def _beyond(x: "list[float]", point: "list[float]") -> float:
    """Return one less the product of two rows of length 1."""
    return min(max(1.0 - dot(x, point), 0.0), 2.0)


def _direction(x: "list[float]") -> "list[float]":
    """Scale a row to length 1."""
    length = sqrt(dot(x, x))
    return [v / length for v in x] if length else x


def _centered(x: "list[float]") -> "list[float]":
    """Subtract a row's mean, and scale it to length 1."""
    middle = total(x) / len(x)
    apart = [v - middle for v in x]
    return _direction(apart) if any(apart) else [nan] * len(x)


def _root(v: float) -> float:
    return sqrt(v) if v >= 0.0 else nan


def _square(v: float) -> float:
    return v * v


def _columnwise(name: str, x: "Any", points: "Any") -> "Any":
    from flyweight.ops._distances import apart

    return apart(x, points, name, 2.0)


def _directed(x: "Any", points: "Any") -> "Any":
    return 1.0 - x @ points.T


def _minkowski(node: "Node", width: int) -> Metric:
    """Read `power` and, if there are any, `weight`.

    :raises ModelRefused: `power` is not above zero, or an array has another length.
    """
    (p,) = node.floats("power", 1)
    node.expect(0.0 < p < inf, "'power' is not above 0, or infinite")
    weights = node.floats("weight", width) if node.has("weight") else None

    def reduced(x: "list[float]", point: "list[float]") -> float:
        try:
            powers = [abs(v) ** p for v in map(sub, x, point)]
        except OverflowError:
            powers = [power(abs(v), p) for v in map(sub, x, point)]
        return reduce(add, powers if weights is None else map(mul, weights, powers), 0.0)

    def batch(x: "Any", points: "Any") -> "Any":
        from flyweight.ops._distances import apart

        return apart(x, points, "minkowski", p)

    return Metric(
        reduced,
        partial(power, exponent=1.0 / p),
        partial(power, exponent=p),
        batch=batch if weights is None else None,
        root=p,
    )


def _standardized(node: "Node", width: int) -> Metric:
    """Read the `variances`.

    :raises ModelRefused: one is not above zero, or infinite.
    """
    variances = node.floats("variances", width)
    node.expect(all(0.0 < v < inf for v in variances), "'variances' are not above 0, or infinite")

    def reduced(x: "list[float]", point: "list[float]") -> float:
        d = 0.0
        for a, b, v in zip(x, point, variances, strict=True):
            apart = a - b
            d += apart * apart / v
        return d

    return Metric(reduced, _root, _square)


def _mahalanobis(node: "Node", width: int) -> Metric:
    """Read the `inverse` covariance.

    :raises ModelRefused: it is not square, or of another width.
    """
    inverse = node.rows("inverse", width, width)

    def reduced(x: "list[float]", point: "list[float]") -> float:
        apart = list(map(sub, x, point))
        return reduce(add, [reduce(add, map(mul, row, apart), 0.0) * v for row, v in zip(inverse, apart, strict=True)], 0.0)

    return Metric(reduced, _root, _square)


def _haversine(node: "Node", width: int) -> Metric:
    """Make the metric of latitudes and longitudes.

    :raises ModelRefused: there are not two columns.
    """
    node.expect(width == 2, "haversine takes a latitude and a longitude")

    def reduced(x: "list[float]", point: "list[float]") -> float:
        half, other = _wave(sin, 0.5 * (x[0] - point[0])), _wave(sin, 0.5 * (x[1] - point[1]))
        return half * half + _wave(cos, x[0]) * _wave(cos, point[0]) * other * other

    def half_squared(distance: float) -> float:
        half = _wave(sin, 0.5 * distance)
        return half * half

    return Metric(reduced, lambda v: 2.0 * asin(sqrt(v)) if 0.0 <= v <= 1.0 else nan, half_squared)


def _wave(function: "Number", v: float) -> float:
    """Return a sine or a cosine, NaN at infinity."""
    return function(v) if abs(v) < inf else nan


def _mask(x: "list[float]") -> int:
    """Return which columns are not zero, one bit a column, so that columns common to two rows are counted at once."""
    return int("".join(["1" if v != 0.0 else "0" for v in x]) or "0", 2)  # adding bit after bit takes the square of their number


def _ratio(above: float, below: float) -> float:
    return above / below if below else nan


def _jaccard(width: int) -> "Callable[[int, int], float]":
    return lambda a, b: (a ^ b).bit_count() / (a | b).bit_count() if a | b else 0.0


def _dice(width: int) -> "Callable[[int, int], float]":
    return lambda a, b: _ratio((a ^ b).bit_count(), 2.0 * (a & b).bit_count() + (a ^ b).bit_count())


def _sokal_sneath(width: int) -> "Callable[[int, int], float]":
    return lambda a, b: _ratio((a ^ b).bit_count(), 0.5 * (a & b).bit_count() + (a ^ b).bit_count())


def _rogers_tanimoto(width: int) -> "Callable[[int, int], float]":
    return lambda a, b: 2.0 * (a ^ b).bit_count() / (width + (a ^ b).bit_count())


def _russell_rao(width: int) -> "Callable[[int, int], float]":
    return lambda a, b: (width - (a & b).bit_count()) / width


def _yule(width: int) -> "Callable[[int, int], float]":
    def distance(a: int, b: int) -> float:
        crossed = (a & ~b).bit_count() * (b & ~a).bit_count()
        return 2.0 * crossed / ((a & b).bit_count() * (width - (a | b).bit_count()) + crossed) if crossed else 0.0

    return distance


_SIMPLE: "dict[str, Callable[[], Metric]]" = {
    "euclidean": lambda: Metric(_squares, _root, _square, batch=partial(_columnwise, "euclidean"), root=2.0, straight=True),
    "sqeuclidean": lambda: Metric(_squares, batch=partial(_columnwise, "euclidean"), straight=True),
    "manhattan": lambda: Metric(_sizes, batch=partial(_columnwise, "manhattan")),
    "chebyshev": lambda: Metric(_largest, batch=partial(_columnwise, "chebyshev")),
    "canberra": lambda: Metric(_canberra),
    "braycurtis": lambda: Metric(_bray_curtis),
    "hamming": lambda: Metric(_hamming),
    "nan_euclidean": lambda: Metric(_common, _root, _square),
    "cosine": lambda: Metric(_beyond, prepare=_direction, batch=_directed, slack=1e-14),
    "correlation": lambda: Metric(_beyond, prepare=_centered, batch=_directed, slack=1e-14),
}
_COUNTED = {
    "jaccard": _jaccard,
    "dice": _dice,
    "rogerstanimoto": _rogers_tanimoto,
    "russellrao": _russell_rao,
    "sokalmichener": _rogers_tanimoto,
    "sokalsneath": _sokal_sneath,
    "yule": _yule,
}
_MADE = {"minkowski": _minkowski, "seuclidean": _standardized, "mahalanobis": _mahalanobis, "haversine": _haversine}
