"""The shapes of the estimator's own answers that a model file can't tell from its signature."""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.packing.oracle import METHODS, Oracle, has_several_labels
from flyweight.toolkit.packing.sample import Row


def shapes_of(oracle: Oracle, rows: list[Row]) -> dict[str, dict[str, str]]:
    """Find the outputs that the estimator shapes in its own way, for the methods that a model has beside `predict`.

    :param rows: rows that the estimator answers; the first one is asked for.
    :returns: the document's `shapes`, or nothing: for each such output "labels", if it has the probability of the second class of
        each output only, or "flat", if a single column is no table.
    """
    shapes = {"probabilities": "labels"} if "probabilities" in oracle.outputs and has_several_labels(oracle.estimator) else {}
    if "transformed" in oracle.outputs and rows:
        answer = getattr(oracle.estimator, METHODS["transformed"])(oracle.shape.to_estimator(rows[:1]))
        shapes |= {"transformed": "flat"} if not hasattr(answer, "toarray") and np.ndim(answer) == 1 else {}
    return {"shapes": shapes} if shapes else {}
