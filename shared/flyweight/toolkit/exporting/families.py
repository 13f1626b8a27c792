"""Find what a form has for an op, by the op's name: `scale.center` is `center` in the table of the module `scale`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from flyweight.toolkit.exporting.planned import Step


def function_of(package: str, table: str, step: Step, form: str) -> Callable[..., Any]:
    """Return the function for the step's op.

    :param package: the package with one module a family.
    :param table: the name of the module's table.
    :param form: the form's name in messages.
    :raises NotExported: the form has none for this op.
    """
    family, _, word = step.name.partition(".")
    path = f"{package}.{family}"
    try:
        found: dict[str, Callable[..., Any]] = getattr(import_module(path), table)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise
        found = {}
    if word not in found:
        raise step.refuse(f"exports to {form} do not have it")
    return found[word]
