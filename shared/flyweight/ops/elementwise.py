"""Apply known functions of one number to each column, with NumPy's answers where Python's own functions would raise."""

import math
from _operator import neg

from flyweight.errors import Fault, InvalidInput, preview
from flyweight.ops._arithmetic import exp, power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from flyweight.ops import Node

NAN, INF = math.nan, math.inf


def _log(function: "Callable[[float], float]", pole: float) -> "Callable[[float], float]":
    """Return a logarithm that answers at and below its pole as NumPy's does."""
    return lambda v: function(v) if v > pole else -INF if v == pole else NAN


def _expm1(v: float) -> float:
    try:
        return math.expm1(v)
    except OverflowError:
        return INF


def _finite(function: "Callable[[float], float]") -> "Callable[[float], float]":
    """Return a rounding that gives infinities and NaN back, as NumPy's does."""
    return lambda v: float(function(v)) if math.isfinite(v) else v


def _wave(function: "Callable[[float], float]") -> "Callable[[float], float]":
    """Return a wave that gives NaN at infinity, as NumPy's does."""
    return lambda v: function(v) if math.isfinite(v) else NAN


# name -> the function, and whether every platform rounds it correctly and so alike
FUNCTIONS: "dict[str, tuple[Callable[[float], float], bool]]" = {
    "absolute": (abs, True),
    "arcsin": (lambda v: math.asin(v) if -1.0 <= v <= 1.0 else NAN, False),
    "arcsinh": (math.asinh, False),
    "ceil": (_finite(math.ceil), True),
    "cos": (_wave(math.cos), False),
    "exp": (exp, False),
    "expm1": (_expm1, False),
    "expit": (lambda v: 1.0 / (1.0 + exp(-v)), False),
    "floor": (_finite(math.floor), True),
    "log": (_log(math.log, 0.0), False),
    "log10": (_log(math.log10, 0.0), False),
    "log1p": (_log(math.log1p, -1.0), False),
    "log2": (_log(math.log2, 0.0), False),
    "negative": (neg, True),
    "reciprocal": (lambda v: 1.0 / v if v else math.copysign(INF, v), True),
    "rint": (_finite(round), True),
    "sign": (lambda v: (v > 0) - (v < 0) + 0.0 if v == v else NAN, True),
    "sin": (_wave(math.sin), False),
    "sqrt": (lambda v: math.sqrt(v) if v >= 0 else NAN, True),
    "square": (lambda v: v * v, True),
    "tanh": (math.tanh, False),
}
# the same functions, faster: ValueError or OverflowError where a number is infinite or the function is not defined
USUAL: "dict[str, Callable[[float], float]]" = {
    "arcsin": math.asin,
    "cos": math.cos,
    "exp": math.exp,
    "expm1": math.expm1,
    "expit": lambda v: 1.0 / (1.0 + math.exp(-v)),
    "log": math.log,
    "log10": math.log10,
    "log1p": math.log1p,
    "log2": math.log2,
    "sin": math.sin,
    "sqrt": math.sqrt,
}


class Apply:
    """One function of every column.

    `takes` says what the reader of the result accepts: "any" number, "nan" beside finite numbers, or "finite" numbers only. A
    row with another result (the logarithm of zero) is refused, as the estimator refuses it.

    :raises ModelRefused: `function` or `takes` is unknown, or `names` does not have one name a column.
    """

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._word = node.choice("function", tuple(FUNCTIONS))
        self.function, self.exact = FUNCTIONS[self._word]
        self._usual = USUAL.get(self._word, self.function)
        self._takes = node.choice("takes", ("any", "nan", "finite"))
        self._names = node.items("names", (str,), width)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the function's value of each column.

        :raises InvalidInput: a value is not finite, or is NaN, where `takes` does not accept it.
        """
        try:
            y = [*map(self._usual, x)]
        except (ValueError, OverflowError):
            y = [*map(self.function, x)]
        if self._takes != "any" and not math.isfinite(sum(y)):
            _expect(self._takes, "a number for which the function is defined", x, y, self._names)
        return y

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array: NumPy has the functions under the same names, except `expit`.

        :raises InvalidInput: a value is not finite, or is NaN, where `takes` does not accept it.
        """
        import numpy as np

        y = 1.0 / (1.0 + np.exp(-x)) if self._word == "expit" else getattr(np, self._word)(x)
        _expect_all(self._takes, y)
        return y


class Accept:
    """The numbers as they are; a row with one that the reader does not accept is refused, as the estimator refuses it.

    `takes` is as for `Apply`.

    :raises ModelRefused: `takes` is unknown, or `names` does not have one name a column.
    """

    exact = True

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._takes = node.choice("takes", ("any", "nan", "finite"))
        self._names = node.items("names", (str,), width)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the numbers.

        :raises InvalidInput: a number is infinite, or is NaN, where `takes` does not accept it.
        """
        if self._takes != "any" and not math.isfinite(sum(x)):
            _expect(self._takes, "a finite number", x, x, self._names)
        return x

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array.

        :raises InvalidInput: a number is infinite, or is NaN, where `takes` does not accept it.
        """
        _expect_all(self._takes, x)
        return x


def _expect(takes: str, expected: str, given: "list[float]", y: "list[float]", names: "list[str]") -> None:
    """Check that a reader accepts the numbers.

    :param given: what a fault shows, for each number.
    :raises InvalidInput: it does not accept one.
    """
    for position, v in enumerate(y):
        if math.isinf(v) or (v != v and takes == "finite"):
            shown = given[position]
            raise InvalidInput(Fault(expected, preview(None if shown != shown else shown), feature=names[position]))


def _expect_all(takes: str, y: "Any") -> None:
    """Check that a reader accepts all numbers of an array.

    :raises InvalidInput: it does not accept one.
    """
    import numpy as np

    if takes != "any" and (np.isinf(y) if takes == "nan" else ~np.isfinite(y)).any():
        raise InvalidInput


class Power:
    """Each number to one `exponent` (`numpy.power`).

    :raises ModelRefused: `exponent` is not one number.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        self.kinds = "n" * node.numbers()
        (self.exponent,) = node.floats("exponent", 1)
        node.takes(40 * len(self.kinds) + 50)

    def row(self, x: "list[float]") -> "list[float]":
        """Return the powers."""
        return [power(v, self.exponent) for v in x]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        return np.power(x, self.exponent)


class _Transform:
    """A power transform with one of `lambdas` a column, then `(y - mean) / scale` (PowerTransformer).

    :raises ModelRefused: an array does not have one number a column, or `scale` has a zero.
    """

    exact = False

    def __init__(self, node: "Node") -> None:
        width = node.numbers()
        self.kinds = "n" * width
        self._names = node.items("names", (str,), width)
        scale = node.floats("scale", width)
        node.expect(0.0 not in scale, "'scale' has a zero")
        self.columns = list(zip(node.floats("lambdas", width), node.floats("mean", width), scale, strict=True))

    if TYPE_CHECKING:

        def power(self, v: float, exponent: float) -> float:
            """Transform one number; each kind of power has its own."""
            ...

        def powers(self, x: Any, exponents: Any) -> Any:
            """Transform an array of shape (rows, columns)."""
            ...

    def row(self, x: "list[float]") -> "list[float]":
        """Return the transformed values."""
        pairs = zip(x, self.columns, strict=True)
        return [(self.power(v, exponent) - mean) / scale for v, (exponent, mean, scale) in pairs]

    def batch(self, x: "Any") -> "Any":
        """Answer all rows of an array."""
        import numpy as np

        exponents, means, scales = np.array(self.columns, dtype=float).reshape(-1, 3).T
        return (self.powers(x, exponents) - means) / scales


def _box_cox(log: float, exponent: float) -> float:
    """Return `(exp(exponent * log) - 1) / exponent`, or its limit where the exponent is zero."""
    return log if abs(exponent) < 1e-19 else _expm1(exponent * log) / exponent


def _box_coxes(logs: "Any", exponents: "Any") -> "Any":
    """Return `_box_cox` of arrays."""
    import numpy as np

    return np.where(np.abs(exponents) < 1e-19, logs, np.expm1(exponents * logs) / exponents)


class BoxCox(_Transform):
    """`(v ** exponent - 1) / exponent` of a positive number (`scipy.special.boxcox`)."""

    def row(self, x: "list[float]") -> "list[float]":
        """Return the transformed values.

        :raises InvalidInput: a number is not positive; the estimator refuses it as well.
        """
        for position, v in enumerate(x):
            if v <= 0.0:
                raise InvalidInput(Fault("a number above 0", preview(v), feature=self._names[position]))
        return super().row(x)

    def power(self, v: float, exponent: float) -> float:
        """Transform one number."""
        return _box_cox(math.log(v), exponent) if v > 0.0 else NAN

    def powers(self, x: "Any", exponents: "Any") -> "Any":
        """Transform an array of shape (rows, columns).

        :raises InvalidInput: a number is not positive.
        """
        import numpy as np

        if (x <= 0.0).any():
            raise InvalidInput
        return _box_coxes(np.log(x), exponents)


class YeoJohnson(_Transform):
    """Box-Cox of `v + 1` above zero, and mirrored with `2 - exponent` below (`scipy.stats.yeojohnson`)."""

    def power(self, v: float, exponent: float) -> float:
        """Transform one number."""
        if v != v:
            return v
        return _box_cox(math.log1p(v), exponent) if v >= 0.0 else -_box_cox(math.log1p(-v), 2.0 - exponent)

    def powers(self, x: "Any", exponents: "Any") -> "Any":
        """Transform an array of shape (rows, columns)."""
        import numpy as np

        return np.where(x >= 0.0, _box_coxes(np.log1p(x), exponents), -_box_coxes(np.log1p(-x), 2.0 - exponents))


OPS = {"apply": Apply, "accept": Accept, "power": Power, "box_cox": BoxCox, "yeo_johnson": YeoJohnson}
