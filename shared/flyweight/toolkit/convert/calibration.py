"""Convert calibrated classifiers (CalibratedClassifierCV)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.isotonic import lines
from flyweight.toolkit.convert.members import aligned, mean, member, positions


@converts("sklearn.CalibratedClassifierCV")
def calibrated(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the probabilities of each pair of classifier and calibrators."""
    parts = [
        _calibrated(part, x, draft, place, len(estimator.classes_))
        for place, part in enumerate(estimator.calibrated_classifiers_)
    ]
    shares = mean(parts, draft, exact=True)
    return {"index": draft.argmax(shares), "probabilities": shares}


def _calibrated(part: Any, x: Value, draft: Draft, place: int, classes: int) -> Value:
    """Add one `_CalibratedClassifier`: its classifier's scores, or else probabilities, through its calibrators.

    :raises ConversionRefused: a fold lacked a class.
    """
    has = hasattr(part.estimator, "decision_function")
    outputs = member(part.estimator, x, draft, f"members.{place}", "scores" if has else "probabilities")
    scores = outputs["scores"] if has else outputs["probabilities"]
    if not has and classes == 2 and len(scores.columns) == 2:
        scores = draft.take(scores, [1])
    if part.method == "temperature":
        return _tempered(part, scores, draft, has)
    if part.method == "isotonic":
        answers = lines(part.calibrators, scores, draft)
        return _alone(answers, draft) if classes == 2 else _shares(part, answers, draft)
    # expit(-(a * score + b)), the sign of every product and sum turned around
    logits = draft.stretch(scores, [-float(c.a_) for c in part.calibrators], [-float(c.b_) for c in part.calibrators])
    if classes == 2:
        return draft.add("links.sigmoid", logits, columns=2, factor=1)
    if list(part.estimator.classes_) != list(part.classes):
        helps = "a fold lacked a class; calibrate with ensemble=False, or with stratified folds"
        raise ConversionRefused(draft.path, class_name(part.estimator), helps)
    return draft.add("links.one_vs_rest", logits, columns=classes)


def _alone(answers: Value, draft: Draft) -> Value:
    """Add the probabilities of two classes from the second one's."""
    return draft.affine(answers, [[-1.0], [1.0]], [1.0, 0.0])


def _shares(part: Any, answers: Value, draft: Draft) -> Value:
    """Add the answers of the classes' calibrators over their sum."""
    places = positions(part.estimator.classes_, part.classes, draft, class_name(part.estimator))
    wide = aligned(answers, places, len(part.classes), draft)
    return draft.add("ensemble.shares", wide, columns=len(part.classes), uniform=True)


def _tempered(part: Any, scores: Value, draft: Draft, has: bool) -> Value:
    """Add the softmax of the scores times `beta_`; a single score stands for both classes, with either sign.

    :raises ConversionRefused: it scales probabilities.
    """
    if not has:
        helps = "temperature scaling of probabilities depends on the other rows; use a classifier with a decision_function"
        raise ConversionRefused(draft.path, class_name(part.estimator), helps)
    beta = float(part.calibrators[0].beta_)
    width = len(scores.columns)
    weights = np.array([[-beta], [beta]]) if width == 1 else np.diag([beta] * width)
    return draft.add("links.softmax", draft.affine(scores, weights), columns=len(weights))
