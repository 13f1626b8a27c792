"""Shape a model's answers as the methods of the estimator do: `predict_proba`, `decision_function`, `score_samples`, `transform`.

Arrays where NumPy is loaded, as in a notebook; nested lists where it is not, so that no method imports it.
"""

import sys
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# an output of a model -> the estimator's method that gives it
METHODS = {
    "probabilities": "predict_proba",
    "scores": "decision_function",
    "score_samples": "score_samples",
    "transformed": "transform",
}
NUMBERS = frozenset((float, int))


def shaped(values: "list[Any]", several: bool, shape: "Any") -> "Any":
    """Shape the values of one output.

    :param values: one entry an instance: a number, a list of them, or one list for each output of the model.
    :param several: whether an entry has one list for each of several outputs; then each output is a table of its own.
    :param shape: what the model file says about the estimator's own shape: "flat" if a single column is no table, "labels" if
        each of several outputs is the probability of its second class; None for what most estimators give.
    """
    if several and shape == "labels":
        return _array([[shares[-1] for shares in row] for row in values])
    if several:
        return [_array([*column]) for column in zip(*values, strict=True)]
    if shape == "flat":
        values = [value[0] if isinstance(value, list) else value for value in values]
    return _array(values)


def flat(scores: "list[Any]") -> "list[Any]":
    """Make plain numbers of lists of one, as estimators give a single score."""
    return [score[0] if isinstance(score, list) and len(score) == 1 else score for score in scores]


def _array(values: "list[Any]") -> "Any":
    """Make an array if NumPy is loaded: of floats, or of objects if a value is no number."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return values
    nested = bool(values) and isinstance(values[0], list)
    types = {*map(type, chain.from_iterable(values) if nested else values)}
    return numpy.array(values, dtype=float if types <= NUMBERS else object)
