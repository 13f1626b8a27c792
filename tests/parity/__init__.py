"""Compare every family, in many configurations, with scikit-learn; one `cases*.py` a group, found by listing this folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

Case = tuple[Any, Any]  # a fitted estimator, and the sample that it is packed with


def families() -> dict[str, dict[str, Callable[[], Case]]]:
    """Return all families of all groups: name of a family -> name of a case -> a function that fits it.

    :raises ValueError: two groups have a family of the same name.
    """
    merged: dict[str, dict[str, Callable[[], Case]]] = {}
    for module in iter_modules(__path__):
        if module.name.startswith("cases"):
            cases = import_module(f"{__name__}.{module.name}").FAMILIES
            if again := merged.keys() & cases.keys():
                raise ValueError(f"{module.name} has the families {', '.join(sorted(again))} again")
            merged |= cases
    return merged
