"""CalibratedClassifierCV."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.isotonic import lines
from flyweight.toolkit.convert.members import aligned, argmax, mean, member, positions


@converts("sklearn.CalibratedClassifierCV")
def calibrated(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The mean of what each pair of classifier and calibrators says."""
    parts = [
        _calibrated(part, x, draft, place, len(estimator.classes_))
        for place, part in enumerate(estimator.calibrated_classifiers_)
    ]
    shares = mean(parts, draft, exact=True)
    return {"index": argmax(shares, draft), "probabilities": shares}


def _calibrated(part: Any, x: Value, draft: Draft, place: int, classes: int) -> Value:
    """One `_CalibratedClassifier`: its classifier's scores, or else probabilities, through its calibrators."""
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
    arrays = {"multiply": [-float(c.a_) for c in part.calibrators], "add": [-float(c.b_) for c in part.calibrators]}
    logits = draft.add("scale.stretch", scores, columns=len(scores.columns), arrays=arrays)
    if classes == 2:
        return draft.add("links.sigmoid", logits, columns=2, factor=1)
    if list(part.estimator.classes_) != list(part.classes):
        helps = "a fold lacked a class; calibrate with ensemble=False, or with stratified folds"
        raise ConversionRefused(draft.path, class_name(part.estimator), helps)
    return draft.add("links.one_vs_rest", logits, columns=classes)


def _alone(answers: Value, draft: Draft) -> Value:
    arrays = {"weights": np.array([[-1.0], [1.0]]), "intercept": [1.0, 0.0]}
    return draft.add("linear.affine", answers, columns=2, arrays=arrays)


def _shares(part: Any, answers: Value, draft: Draft) -> Value:
    places = positions(part.estimator.classes_, part.classes, draft, class_name(part.estimator))
    wide = aligned(answers, places, len(part.classes), draft)
    return draft.add("ensemble.shares", wide, columns=len(part.classes), uniform=True)


def _tempered(part: Any, scores: Value, draft: Draft, has: bool) -> Value:
    """The softmax of the scores times `beta_`; a single score stands for both classes, with either sign."""
    if not has:
        helps = "temperature scaling of probabilities depends on the other rows; use a classifier with a decision_function"
        raise ConversionRefused(draft.path, class_name(part.estimator), helps)
    beta = float(part.calibrators[0].beta_)
    width = len(scores.columns)
    weights = np.array([[-beta], [beta]]) if width == 1 else np.diag([beta] * width)
    arrays = {"weights": weights, "intercept": np.zeros(len(weights))}
    logits = draft.add("linear.affine", scores, columns=len(weights), arrays=arrays)
    return draft.add("links.softmax", logits, columns=len(weights))
