"""Kernels, from distances or products to values: what machines, processes and pairwise kernels have in common."""

from itertools import repeat
from math import dist, tanh
from math import exp as _exp

from flyweight.ops._overflow import exp, power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def distances(x: "list[float]", points: "Iterable[tuple[float, ...]]") -> "Iterable[float]":
    """The Euclidean distance of each point, one at a time; tuples, since `dist` makes them of what is none."""
    return map(dist, repeat(tuple(x)), points)


def gaussians(factor: float, x: "list[float]", points: "list[tuple[float, ...]]") -> "list[float]":
    """`e ** (factor * distance ** 2)` of each point."""
    try:
        return [_exp(factor * d * d) for d in distances(x, points)]
    except OverflowError:  # never by a kernel that an estimator has
        return [exp(factor * d * d) for d in distances(x, points)]


def exps(exponents: "list[float]") -> "list[float]":
    """`e ** v` of each, infinite beyond the largest double."""
    try:
        return list(map(_exp, exponents))
    except OverflowError:
        return list(map(exp, exponents))


def of_products(kernel: str, products: "list[float]", gamma: float, coef0: float, degree: float) -> "list[float]":
    """The values of the kernel "linear", "sigmoid" or "poly"."""
    if kernel == "linear":
        return products
    shifted = [gamma * product + coef0 for product in products]
    return list(map(tanh, shifted)) if kernel == "sigmoid" else [power(v, degree) for v in shifted]
