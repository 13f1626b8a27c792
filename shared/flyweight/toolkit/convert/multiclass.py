"""Several estimators for several classes or outputs: one against the rest or another, codes, multi-output, chains."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import above, argmax, binary_score, each_above, member, members, recoded, vote


def _threshold(estimator: Any) -> float:
    """`sklearn.multiclass._threshold_for_binary_predict`: 0 for decision values, a half for probabilities."""
    from sklearn.base import is_classifier

    return 0.0 if hasattr(estimator, "decision_function") and is_classifier(estimator) else 0.5


@converts("sklearn.OneVsRestClassifier")
def one_vs_rest(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The class whose estimator is surest, or of several labels a row each by its own; two classes share one estimator."""
    parts = estimator.estimators_
    found = members(parts, x, draft)
    scores = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, found, strict=True)])
    if estimator.multilabel_:
        outputs = {"index": each_above(scores, _threshold(parts[0]), draft)}
        if hasattr(estimator, "predict_proba") and all("probabilities" in part for part in found):
            present = [draft.take(part["probabilities"], [1]) for part in found]
            rest: dict[str, Any] = {"multiply": [-1.0], "add": [1.0]}  # what is told of a label's absence: one less its share
            absent = [draft.add("scale.stretch", share, columns=1, arrays=rest) for share in present]
            outputs["probabilities"] = draft.join([part for pair in zip(absent, present, strict=True) for part in pair])
        return outputs
    index = argmax(scores, draft) if len(parts) > 1 else above(scores, _threshold(parts[0]), draft, inclusive=False)
    outputs = {"index": index}
    if hasattr(estimator, "decision_function"):
        outputs["scores"] = scores
    if hasattr(estimator, "predict_proba") and all("probabilities" in part for part in found):
        if len(parts) > 1:
            shares = draft.join([draft.take(part["probabilities"], [1]) for part in found])
        else:
            shares = found[0]["probabilities"]
        outputs["probabilities"] = draft.add("ensemble.shares", shares, columns=len(shares.columns), uniform=False)
    return outputs


@converts("sklearn._ConstantPredictor")
def constant(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """What stands for an estimator where a code or a class is the same in all rows."""
    value = float(np.ravel(estimator.y_)[0])
    weights = np.zeros((3, 0))
    arrays = {"weights": weights, "intercept": [value, 1.0 - value, value]}
    answers = draft.add("linear.affine", draft.take(x, []), columns=3, arrays=arrays)
    return {"scores": draft.take(answers, [0]), "probabilities": draft.take(answers, [1, 2])}


@converts("sklearn.OneVsOneClassifier")
def one_vs_one(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Votes of every pair's estimator, and their confidences."""
    if estimator.pairwise_indices_ is not None:
        helps = "its estimator takes a precomputed kernel; use one that computes its kernel itself"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    parts, classes = estimator.estimators_, len(estimator.classes_)
    found = members(parts, x, draft, "index")
    winners = draft.join([recoded(outputs["index"], part.classes_, draft) for part, outputs in zip(parts, found, strict=True)])
    confidences = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, found, strict=True)])
    scores = draft.add("ensemble.one_vs_one", winners, confidences, columns=classes, classes=classes)
    if classes > 2:
        return {"index": argmax(scores, draft), "scores": scores}
    second = draft.take(scores, [1])
    return {"index": above(second, _threshold(parts[0]), draft, inclusive=False), "scores": second}


@converts("sklearn.OutputCodeClassifier")
def output_code(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """The class whose code is nearest to the estimators' scores."""
    parts = estimator.estimators_
    found = members(parts, x, draft)
    scores = draft.join([binary_score(part, outputs, draft) for part, outputs in zip(parts, found, strict=True)])
    codes = np.asarray(estimator.code_book_, dtype=float)
    return {"index": draft.add("ensemble.nearest", scores, columns=1, arrays={"codes": codes})}


@converts("sklearn.MultiOutputClassifier")
def multi_output_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One classifier an output, side by side."""
    found = members(estimator.estimators_, x, draft, "index")
    outputs = {"index": _indices(estimator, found, draft)}
    if all("probabilities" in part for part in found):
        outputs["probabilities"] = draft.join([part["probabilities"] for part in found])
    return outputs


def _indices(estimator: Any, found: list[Outputs], draft: Draft) -> Value:
    widths = [len(labels) for labels in estimator.classes_]
    marks = [vote([part["index"]], width, draft) for part, width in zip(found, widths, strict=True)]
    return argmax(draft.join(marks), draft, widths)


@converts("sklearn.MultiOutputRegressor")
def multi_output_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """One regressor an output, side by side."""
    return {"values": draft.join([part["values"] for part in members(estimator.estimators_, x, draft, "values")])}


@converts("sklearn.RegressorChain")
def regressor_chain(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each regressor over the input and what those before it said, in the order of the chain."""
    said: list[Value] = []
    for place, part in enumerate(estimator.estimators_):
        said.append(member(part, draft.join([x, *said]), draft, f"members.{place}", "values")["values"])
    return {"values": draft.join([said[place] for place in np.argsort(estimator.order_)])}


@converts("sklearn.ClassifierChain")
def classifier_chain(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Each classifier over the input and what those before it said: their classes, scores or second probabilities.

    The chain's `predict_proba` has one column an output, which a signature of classes does not: it is left out.
    """
    labels = [part.classes_.tolist() for part in estimator.estimators_]
    if any(own != labels[0] for own in labels):
        helps = "its outputs have different classes, which `classes_` lists in the chain's order; use MultiOutputClassifier"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    said: list[Value] = []
    found = []
    method = getattr(estimator, "chain_method_", "predict")
    for place, part in enumerate(estimator.estimators_):
        outputs = member(part, draft.join([x, *said]), draft, f"members.{place}", "index")
        found.append(outputs)
        if method == "predict":
            said.append(recoded(outputs["index"], part.classes_, draft))
        elif method == "decision_function":
            said.append(outputs["scores"])
        else:
            said.append(draft.take(outputs["probabilities"], [1]))
    return {"index": _indices(estimator, [found[place] for place in np.argsort(estimator.order_)], draft)}
