"""Candidates for the pickle engine: the estimator as joblib pickles it, which is code that runs when the file is loaded."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flyweight.toolkit.packing.candidate import Candidate, EngineSkipped, as_bytes, versions
from flyweight.toolkit.packing.engines._estimator import estimator_document, modules_of, packages_of
from flyweight.toolkit.packing.guard import first_line

if TYPE_CHECKING:
    from flyweight.engines import Engine
    from flyweight.models.file import ModelFile
    from flyweight.toolkit.packing.source_model import SourceModel

ORDER = 40
OPT_IN = "not without --allow-pickle; it would store the estimator as code"


def candidates(model: SourceModel) -> Iterator[Candidate]:
    """Make the candidate that holds the estimator as a joblib pickle.

    :raises EngineSkipped: the estimator can't be pickled.
    """
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(model.estimator, buffer)
    except Exception as error:  # an object can refuse to be pickled in any way
        raise EngineSkipped(f"it can't be pickled: {first_line(error)}") from None
    requires = versions("scikit-learn", "joblib", "numpy", *packages_of(model, modules_of(model.estimator)))
    yield Candidate("pickle", {"estimator": estimator_document(model)}, {"pickle": as_bytes(buffer.getvalue())}, requires)


def load(file: ModelFile) -> Engine:
    """Load the pickle without FLYWEIGHT_ALLOW_PICKLE: the caller has the estimator in memory already, so its code has run."""
    from flyweight.engines import pickle

    return pickle.Engine(file, allowed=True)
