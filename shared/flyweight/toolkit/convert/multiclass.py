"""Convert several estimators for several classes or outputs: one against the rest or another, codes, multi-output, chains."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import above, binary_score, each_above, member, members, recoded, vote


def _threshold(estimator: Any) -> float:
    """Return 0 for decision values, a half for probabilities (`sklearn.multiclass._threshold_for_binary_predict`)."""
    from sklearn.base import is_classifier

    return 0.0 if hasattr(estimator, "decision_function") and is_classifier(estimator) else 0.5


@converts("sklearn.OneVsRestClassifier")
def one_vs_rest(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the class of the estimator with the highest score; two classes share one estimator.

    If a row has several labels, each is decided by its own estimator.
    """
    parts = estimator.estimators_
    answers = members(parts, x, draft)
    scores = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, answers, strict=True)])
    if estimator.multilabel_:
        outputs = {"index": each_above(scores, _threshold(parts[0]), draft)}
        if hasattr(estimator, "predict_proba") and all("probabilities" in part for part in answers):
            present = [draft.take(part["probabilities"], [1]) for part in answers]
            absent = [draft.stretch(share, -1.0, 1.0) for share in present]
            outputs["probabilities"] = draft.join([part for pair in zip(absent, present, strict=True) for part in pair])
        return outputs
    index = draft.argmax(scores) if len(parts) > 1 else above(scores, _threshold(parts[0]), draft, inclusive=False)
    outputs = {"index": index}
    if hasattr(estimator, "decision_function"):
        outputs["scores"] = scores
    if hasattr(estimator, "predict_proba") and all("probabilities" in part for part in answers):
        if len(parts) > 1:
            shares = draft.join([draft.take(part["probabilities"], [1]) for part in answers])
        else:
            shares = answers[0]["probabilities"]
        outputs["probabilities"] = draft.add("ensemble.shares", shares, columns=len(shares.columns), uniform=False)
    return outputs


@converts("sklearn._ConstantPredictor")
def constant(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert the constant that replaces an estimator where a code or a class is the same in all training rows."""
    value = float(np.ravel(estimator.y_)[0])
    answers = draft.affine(draft.take(x, []), np.zeros((3, 0)), [value, 1.0 - value, value])
    return {"scores": draft.take(answers, [0]), "probabilities": draft.take(answers, [1, 2])}


@converts("sklearn.OneVsOneClassifier")
def one_vs_one(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to votes of every pair's estimator, and their confidences.

    :raises ConversionRefused: its estimator takes a precomputed kernel.
    """
    if estimator.pairwise_indices_ is not None:
        helps = "its estimator takes a precomputed kernel; use one that computes its kernel itself"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    parts, classes = estimator.estimators_, len(estimator.classes_)
    answers = members(parts, x, draft, "index")
    winners = draft.join([recoded(outputs["index"], part.classes_, draft) for part, outputs in zip(parts, answers, strict=True)])
    confidences = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, answers, strict=True)])
    scores = draft.add("ensemble.one_vs_one", winners, confidences, columns=classes, classes=classes)
    if classes > 2:
        return {"index": draft.argmax(scores), "scores": scores}
    second = draft.take(scores, [1])
    return {"index": above(second, _threshold(parts[0]), draft, inclusive=False), "scores": second}


@converts("sklearn.OutputCodeClassifier")
def output_code(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the class whose code is nearest to the estimators' scores."""
    parts = estimator.estimators_
    answers = members(parts, x, draft)
    scores = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, answers, strict=True)])
    codes = np.asarray(estimator.code_book_, dtype=float)
    return {"index": draft.add("ensemble.nearest", scores, columns=1, arrays={"codes": codes})}


@converts("sklearn.MultiOutputClassifier")
def multi_output_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one classifier an output, side by side."""
    answers = members(estimator.estimators_, x, draft, "index")
    outputs = {"index": _indices(estimator, answers, draft)}
    if all("probabilities" in part for part in answers):
        outputs["probabilities"] = draft.join([part["probabilities"] for part in answers])
    return outputs


def _indices(estimator: Any, parts: list[Outputs], draft: Draft) -> Value:
    """Add the indices of all outputs side by side."""
    widths = [len(labels) for labels in estimator.classes_]
    marks = [vote([part["index"]], width, draft) for part, width in zip(parts, widths, strict=True)]
    return draft.argmax(draft.join(marks), widths)


@converts("sklearn.MultiOutputRegressor")
def multi_output_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to one regressor an output, side by side."""
    return {"values": draft.join([part["values"] for part in members(estimator.estimators_, x, draft, "values")])}


@converts("sklearn.RegressorChain")
def regressor_chain(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each regressor over the input and the values of those before it, in the order of the chain."""
    values: list[Value] = []
    for place, part in enumerate(estimator.estimators_):
        values.append(member(part, draft.join([x, *values]), draft, f"members.{place}", "values")["values"])
    return {"values": draft.join([values[place] for place in np.argsort(estimator.order_)])}


@converts("sklearn.ClassifierChain")
def classifier_chain(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to each classifier over the input and the classes, scores or second probabilities of those before it.

    The chain's `predict_proba` is left out: it has one column an output, where a signature has one a class.

    :raises ConversionRefused: its outputs have different classes.
    """
    labels = [part.classes_.tolist() for part in estimator.estimators_]
    if any(own != labels[0] for own in labels):
        helps = "its outputs have different classes, which `classes_` lists in the chain's order; use MultiOutputClassifier"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    answers: list[Value] = []
    parts = []
    method = getattr(estimator, "chain_method_", "predict")
    for place, part in enumerate(estimator.estimators_):
        outputs = member(part, draft.join([x, *answers]), draft, f"members.{place}", "index")
        parts.append(outputs)
        if method == "predict":
            answers.append(recoded(outputs["index"], part.classes_, draft))
        elif method == "decision_function":
            answers.append(outputs["scores"])
        else:
            answers.append(draft.take(outputs["probabilities"], [1]))
    return {"index": _indices(estimator, [parts[place] for place in np.argsort(estimator.order_)], draft)}
