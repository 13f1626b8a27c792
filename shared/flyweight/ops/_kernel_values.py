"""Kernels: from distances or products to values, as machines, processes and pairwise kernels need them."""

from itertools import repeat
from math import dist, tanh
from math import exp as _exp

from flyweight.ops._arithmetic import exp, power

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


def distances(x: "list[float]", points: "Iterable[tuple[float, ...]]") -> "Iterable[float]":
    """Yield the Euclidean distance from `x` to each point; points are tuples, since `dist` copies any other sequence."""
    return map(dist, repeat(tuple(x)), points)


def gaussians(factor: float, x: "list[float]", points: "list[tuple[float, ...]]") -> "list[float]":
    """Return `e ** (factor * distance ** 2)` of each point."""
    try:
        return [_exp(factor * d * d) for d in distances(x, points)]
    except OverflowError:  # never by a kernel that an estimator has
        return [exp(factor * d * d) for d in distances(x, points)]


def of_products(kernel: str, products: "list[float]", gamma: float, coef0: float, degree: float) -> "list[float]":
    """Return the values of the kernel "linear", "sigmoid" or "poly", one a product of the row and a point."""
    if kernel == "linear":
        return products
    shifted = [gamma * product + coef0 for product in products]
    return list(map(tanh, shifted)) if kernel == "sigmoid" else [power(v, degree) for v in shifted]


def all_of_products(kernel: str, products: "Any", gamma: float, coef0: float, degree: float) -> "Any":
    """Return `of_products` of an array of any shape."""
    import numpy as np

    if kernel == "linear":
        return products
    products = gamma * products + coef0
    return np.tanh(products) if kernel == "sigmoid" else products**degree
