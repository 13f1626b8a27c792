"""Convert fitted estimators into plans: one module a family, found by listing this folder; a new family is a new module.

A converter is a function `(estimator, x, draft) -> Outputs`, marked `@converts("sklearn.StandardScaler", ...)` with the top-level
package and the name of the class, so that no converter imports another library. It adds ops over the value `x` to the draft, and
returns values by the names of the estimator's outputs: `transform`, `values`, `index`, `probabilities`, `scores`,
`score_samples`. It raises `ConversionRefused` for an estimator that it can't convert.
Only the exact classes named are converted: a subclass may do anything, and a plan can't hold its code.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from flyweight.toolkit.convert._outside import where_to_go
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value

Converter = Callable[[Any, Value, Draft], Outputs]
_TABLE: dict[str, Converter] = {}


def converts(*classes: str) -> Callable[[Converter], Converter]:
    """Register a converter for the classes named `package.Class`.

    :raises ValueError: a class has a converter already.
    """

    def register(converter: Converter) -> Converter:
        """Add the converter to the table.

        :raises ValueError: a class has a converter already.
        """
        for name in classes:
            if _TABLE.setdefault(name, converter) is not converter:
                raise ValueError(f"{name} has two converters")
        return converter

    return register


@cache
def converters() -> dict[str, Converter]:
    """Return every converter by the name of its class."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _TABLE


def public_names() -> list[str]:
    """Return the names of the classes that have a converter, without those that only exist inside other estimators."""
    return sorted(name for name in converters() if not name.partition(".")[2].startswith("_"))


def class_name(estimator: Any) -> str:
    """Return the name under which an estimator's class is registered: its top-level package and its own name."""
    cls = type(estimator)
    return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}"


def convert(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert one estimator over the value `x`, at the draft's current step.

    :raises ConversionRefused: the estimator can't be converted; the error names the step, its class and what would help.
    """
    name = class_name(estimator)
    converter = converters().get(name)
    if converter is None:
        raise ConversionRefused(draft.path, name, _what_helps(estimator))
    with draft.recording(estimator):
        return converter(estimator, x, draft)


def transform(estimator: Any, x: Value, draft: Draft) -> Value:
    """Convert a transformer, and return its one value.

    :raises ConversionRefused: it can't be converted, or is not a transformer.
    """
    outputs = convert(estimator, x, draft)
    if "transform" not in outputs:
        raise ConversionRefused(draft.path, class_name(estimator), "a step before the last has to transform")
    return outputs["transform"]


def _what_helps(estimator: Any) -> str:
    """Return why a class has no converter, and what would help."""
    elsewhere = where_to_go(estimator)
    if elsewhere is not None:
        return elsewhere
    known = converters()
    bases = [base for base in type(estimator).__mro__[1:] if f"{base.__module__.partition('.')[0]}.{base.__qualname__}" in known]
    if bases:
        return (
            f"it is a subclass of {bases[0].__name__}, and a plan can't hold the code of a subclass; "
            f"use {bases[0].__name__} itself if nothing was overridden"
        )
    from difflib import get_close_matches

    close = get_close_matches(type(estimator).__name__, [name.partition(".")[2] for name in public_names()], n=3, cutoff=0.5)
    near = f"; similar classes that have one: {', '.join(close)}" if close else ""
    return f"this class has no conversion to plain data{near}. `flyweight pack --list` shows every class that has one"
