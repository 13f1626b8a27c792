"""Measure the terms that an op sums: the scale by which parity judges the op's answers.

One module a family of ops, named as the family, with a table `MAGNITUDES` from an op's name to a function. The function takes
the op and its inputs for one instance, and returns the sums of the terms' absolute values, or an upper bound of them, one or
more. An op without a function sums nothing: its answers are judged at a scale of 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

Magnitude = Callable[..., list[float]]


@cache
def find(name: str) -> Magnitude | None:
    """Return the function of the op with this name (`linear.affine`); None if the op sums nothing."""
    family, _, word = name.partition(".")
    path = f"{__name__}.{family}"
    try:
        table: dict[str, Any] = import_module(path).MAGNITUDES
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        return None
    return table.get(word)
