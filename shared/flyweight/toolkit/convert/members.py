"""Convert the members of ensembles, and combine their answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, convert
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value


def member(estimator: Any, x: Value, draft: Draft, name: str, *needed: str) -> Outputs:
    """Convert a member as the step `name`.

    :param needed: the outputs that it has to have.
    :raises ConversionRefused: it lacks one, or can't be converted.
    """
    with draft.step(name):
        outputs = convert(estimator, x, draft)
        for output in needed:
            if output not in outputs:
                raise ConversionRefused(draft.path, class_name(estimator), f"it gives no {output}, which the whole needs")
    return outputs


def members(estimators: Any, x: Value, draft: Draft, *needed: str) -> list[Outputs]:
    """Convert all members over the same input, as `members.0`, `members.1`..."""
    return [member(part, x, draft, f"members.{place}", *needed) for place, part in enumerate(estimators)]


def positions(own: Any, classes: Any, draft: Draft, cls: str) -> list[int]:
    """Return the positions of a member's own classes among the ensemble's.

    :raises ConversionRefused: the ensemble does not know a class; `cls` names the estimator in the message.
    """
    place = {label: position for position, label in enumerate(np.asarray(classes).tolist())}
    places = [place.get(label) for label in np.asarray(own).tolist()]
    if None in places:
        raise ConversionRefused(draft.path, cls, "a member knows a class that the whole does not; fit both on the same labels")
    return [position for position in places if position is not None]


def recoded(index: Value, codes: Any, draft: Draft) -> Value:
    """Add the number of `codes` at the position that an index gives; return the index itself if that is the same.

    :raises ConversionRefused: the codes are not numbers.
    """
    codes = np.asarray(codes)
    if codes.dtype.kind not in "iufb":
        helps = f"a member's labels are {codes.tolist()[:3]}, and the next model takes numbers; use integer labels"
        raise ConversionRefused(draft.path, "a member's labels", helps)
    codes = codes.astype(float)
    if np.array_equal(codes, np.arange(len(codes))):
        return index
    return draft.add("ensemble.recode", index, columns=1, arrays={"codes": codes})


def aligned(x: Value, places: list[int], width: int, draft: Draft) -> Value:
    """Add a member's columns, one a class, at the places of these classes in the ensemble, with zeros elsewhere."""
    if places == list(range(width)):
        return x
    return draft.add("ensemble.scatter", x, columns=width, width=width, positions=places)


def mean(parts: list[Value], draft: Draft, *, exact: bool, weights: Any = None) -> Value:
    """Add the mean of the parts, which are added in their order."""
    divide = float(len(parts))
    arrays: dict[str, Any] = {}
    if weights is not None:
        arrays["weights"] = np.asarray(weights, dtype=float)
        divide = float(np.sum(arrays["weights"]))
    arrays["divide"] = [divide]
    return draft.add("ensemble.mean", *parts, columns=len(parts[0].columns), exact=exact, arrays=arrays)


def vote(indices: list[Value], classes: int, draft: Draft, weights: Any = None, against: Any = None) -> Value:
    """Add one number a class: the sum of the weights of the indices that vote for it."""
    arrays: dict[str, Any] = {"for": np.ones(len(indices)) if weights is None else np.asarray(weights, dtype=float)}
    if against is not None:
        arrays["against"] = np.asarray(against, dtype=float)
    return draft.add("ensemble.vote", draft.join(indices), columns=classes, classes=classes, arrays=arrays)


def above(score: Value, threshold: float, draft: Draft, *, inclusive: bool) -> Value:
    """Add the index 1 where the one score is above the threshold, else 0.

    The threshold is subtracted: the difference of two doubles has the sign of their comparison.
    """
    if threshold:
        score = draft.add("scale.center", score, columns=1, arrays={"subtract": [float(threshold)]})
    return draft.add("labels.above", score, columns=1, inclusive=inclusive)


def each_above(scores: Value, threshold: float, draft: Draft) -> Value:
    """Add for each score the index 1 where it is above the threshold, else 0: the labels of a row that may have several."""
    count = len(scores.columns)
    if threshold:
        scores = draft.add("scale.center", scores, columns=count, arrays={"subtract": [float(threshold)] * count})
    # each beside a zero, which wins where both are equal
    pairs = aligned(scores, list(range(1, 2 * count, 2)), 2 * count, draft)
    return draft.argmax(pairs, [2] * count)


def binary_score(estimator: Any, outputs: Outputs, draft: Draft) -> Value:
    """Return a regressor's value, a decision value, or the second class's probability (`sklearn.multiclass._predict_binary`)."""
    if "values" in outputs:
        return outputs["values"]
    if hasattr(estimator, "decision_function"):
        return outputs["scores"]
    return draft.take(outputs["probabilities"], [1])
