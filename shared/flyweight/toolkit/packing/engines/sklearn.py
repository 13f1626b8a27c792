"""Candidates for the sklearn engine: the estimator itself, as skops stores it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flyweight.toolkit import installation
from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped, as_bytes, versions
from flyweight.toolkit.packing.engines._estimator import estimator_document, packages_of
from flyweight.toolkit.packing.guard import first_line

if TYPE_CHECKING:
    from flyweight.toolkit.packing.source_model import SourceModel

ORDER = 30


def refusal(classes: Sequence[str], functions: Sequence[str]) -> str:
    """Say that skops is not installed."""
    from importlib.util import find_spec

    return "" if find_spec("skops") else f"skops is not installed here; {installation.command('sklearn')}"


def candidates(model: SourceModel) -> Iterator[Candidate]:
    """Make the candidate that holds the estimator as a skops archive.

    :raises EngineSkipped: skops is not installed, or can't store the estimator.
    """
    try:
        from skops.io import dumps

        from flyweight.engines.sklearn import types_of
    except ImportError as error:
        raise EngineSkipped(f"{error.name} is not installed here; {installation.command('sklearn')}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = dumps(model.estimator)
            types = types_of(data)
    except Exception as error:  # skops fails in many ways on what it can't store
        raise EngineSkipped(f"skops can't store it: {first_line(error)}") from None
    packages = packages_of(model, {name.partition(".")[0] for name in types})
    requires = versions("scikit-learn", "skops", "numpy", *packages)
    yield Candidate("sklearn", {"estimator": {**estimator_document(model), "types": types}}, {"skops": as_bytes(data)}, requires)
