"""Rank numbers among quantiles, as shares or as normal numbers (QuantileTransformer)."""

from _bisect import bisect_right
from itertools import pairwise
from math import inf, log, nan, sqrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flyweight.ops import Node

NEAR = 1e-7  # `BOUNDS_THRESHOLD`: within this of the ends, a value counts as the end

# Coefficients of Cephes' ndtri (S. L. Moshier), as scipy.special.ndtri and so scipy.stats.norm.ppf have them. The highest power
# comes first; denominators have a leading one.
MIDDLE = (
    (-59.9633501014107895267, 98.0010754185999661536, -56.6762857469070293439, 13.9312609387279679503, -1.23916583867381258016),
    (1.0, 1.95448858338141759834, 4.67627912898881538453, 86.3602421390890590575, -225.462687854119370527)
    + (200.260212380060660359, -82.0372256168333339912, 15.9056225126211695515, -1.18331621121330003142),
)
TAIL = (
    (4.05544892305962419923, 31.5251094599893866154, 57.1628192246421288162, 44.0805073893200834700, 14.6849561928858024014)
    + (2.18663306850790267539, -0.140256079171354495875, -0.0350424626827848203418, -8.57456785154685413611e-4),
    (1.0, 15.7799883256466749731, 45.3907635128879210584, 41.3172038254672030440, 15.0425385692907503408)
    + (2.50464946208309415979, -0.142182922854787788574, -0.0380806407691578277194, -9.33259480895457427372e-4),
)
FAR_TAIL = (
    (3.23774891776946035970, 6.91522889068984211695, 3.93881025292474443415, 1.33303460815807542389, 0.201485389549179081538)
    + (0.0123716634817820021358, 3.01581553508235416007e-4, 2.65806974686737550832e-6, 6.23974539184983293730e-9),
    (1.0, 6.02427039364742014255, 3.67983563856160859403, 1.37702099489081330271, 0.216236993594496635890)
    + (0.0134204006088543189037, 3.28014464682127739104e-4, 2.89247864745380683936e-6, 6.79019408009981274425e-9),
)
ROOT_TWO_PI = 2.50662827463100050242
EXP_MINUS_TWO = 0.13533528323661269189


def _polynomial(x: "Any", coefficients: "tuple[float, ...]") -> "Any":
    """Evaluate a polynomial, its highest power first, at a number or an array."""
    y: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        y = y * x + coefficient
    return y


def _ratio(x: "Any", parts: "tuple[tuple[float, ...], tuple[float, ...]]") -> "Any":
    """Return the ratio of two polynomials of a number or an array."""
    return _polynomial(x, parts[0]) / _polynomial(x, parts[1])


def normal(share: float) -> float:
    """Return the number below which this share of a standard normal distribution lies."""
    if not 0.0 < share < 1.0:
        return -inf if share == 0.0 else inf if share == 1.0 else nan
    upper = share > 1.0 - EXP_MINUS_TWO
    y = 1.0 - share if upper else share
    if y > EXP_MINUS_TWO:
        y -= 0.5
        square = y * y
        middle: float = (y + y * (square * _ratio(square, MIDDLE))) * ROOT_TWO_PI
        return middle
    x = sqrt(-2.0 * log(y))
    z = 1.0 / x
    number: float = x - log(x) / x - z * _ratio(z, TAIL if x < 8.0 else FAR_TAIL)
    return number if upper else -number


def normals(shares: "Any") -> "Any":
    """Return `normal` of an array of shares from 0 to 1."""
    import numpy as np

    upper = shares > 1.0 - EXP_MINUS_TWO
    y = np.where(upper, 1.0 - shares, shares)
    middle = y - 0.5
    square = middle * middle
    middle = (middle + middle * (square * _ratio(square, MIDDLE))) * ROOT_TWO_PI
    x = np.sqrt(-2.0 * np.log(y))
    z = 1.0 / x
    x = x - np.log(x) / x - z * np.where(x < 8.0, _ratio(z, TAIL), _ratio(z, FAR_TAIL))
    numbers = np.where(y > EXP_MINUS_TWO, middle, np.where(upper, x, -x))
    return np.where(shares == 0.0, -inf, np.where(shares == 1.0, inf, numbers))


class Rank:
    """Each value's share among its column's `quantiles`, of shape (columns, n), whose shares are `references`.

    It is the mean of interpolating upwards and downwards, since quantiles repeat. With `limits` it is the normal number of that
    share, kept within the limits.

    :raises ModelRefused: `quantiles` is empty, goes down, or differs in length from `references`.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        count = node.array("quantiles", "F64", (width, None)).shape[1]
        node.expect(count > 0, "'quantiles' is empty")
        columns, references = node.rows("quantiles", width, count), node.floats("references", count)
        back = [-v for v in reversed(references)]
        rising = all(a <= b for knots in (references, *columns) for a, b in pairwise(knots))
        node.expect(rising, "the quantiles of a column, or the references, go down")
        self._columns = [(up, [-v for v in reversed(up)]) for up in columns]
        self._shares = references, back
        self._limits = node.floats("limits", 2) if node.has("limits") else None

    def row(self, x: "list[float]") -> "list[float]":
        """Return one rank a column, NaN where the value is missing."""
        return [v if v != v else self._rank(v, up, down) for v, (up, down) in zip(x, self._columns, strict=True)]

    def _rank(self, v: float, up: "list[float]", down: "list[float]") -> float:
        near = 0.0 if self._limits is None else NEAR
        if v - near < up[0] or v <= up[0]:
            share = 0.0
        elif v + near > up[-1] or v >= up[-1]:
            share = 1.0
        else:
            share = 0.5 * (_between(v, up, self._shares[0]) - _between(-v, down, self._shares[1]))
        if self._limits is None:
            return share
        low, high = self._limits
        number = normal(share)
        return low if number < low else high if number > high else number

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        near = 0.0 if self._limits is None else NEAR
        shares = np.empty(x.shape)
        for position, (up, down) in enumerate(self._columns):
            v = x[:, position]
            between = 0.5 * (np.interp(v, up, self._shares[0]) - np.interp(-v, down, self._shares[1]))
            between = np.where((v + near > up[-1]) | (v >= up[-1]), 1.0, between)
            shares[:, position] = np.where((v - near < up[0]) | (v <= up[0]), 0.0, between)
        if self._limits is not None:
            shares = np.clip(normals(shares), self._limits[0], self._limits[1])
        return np.where(x != x, x, shares)


def _between(v: float, xs: "list[float]", ys: "list[float]") -> float:
    """Return `np.interp` of one number inside the knots."""
    place = bisect_right(xs, v) - 1
    if not 0 <= place < len(xs) - 1 or xs[place] == v:
        return ys[max(place, 0)]
    return (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place]) * (v - xs[place]) + ys[place]


OPS = {"rank": Rank}
