"""Convert ensembles of any estimators: voting, bagging, AdaBoost, stacking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import aligned, mean, member, members, positions, recoded, vote
from flyweight.toolkit.convert.releases import class_shares
from flyweight.toolkit.convert.trees import Tree, add_sum, of_sklearn

CLASSIFIERS = ("sklearn.DecisionTreeClassifier", "sklearn.ExtraTreeClassifier")
REGRESSORS = ("sklearn.DecisionTreeRegressor", "sklearn.ExtraTreeRegressor")


@converts("sklearn.VotingClassifier")
def voting_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the probabilities (soft), or the class with most votes (hard)."""
    weights, classes = estimator._weights_not_none, len(estimator.classes_)
    if estimator.voting == "soft":
        parts = [part["probabilities"] for part in members(estimator.estimators_, x, draft, "probabilities")]
        shares = mean(parts, draft, exact=True, weights=weights)
        outputs = {"index": draft.argmax(shares), "probabilities": shares}
        # unflattened, its transform has three dimensions
        return {**outputs, "transform": draft.join(parts)} if estimator.flatten_transform else outputs
    answers = members(estimator.estimators_, x, draft, "index")
    indices = [recoded(part["index"], e.classes_, draft) for e, part in zip(estimator.estimators_, answers, strict=True)]
    return {"index": draft.argmax(vote(indices, classes, draft, weights)), "transform": draft.join(indices)}


@converts("sklearn.VotingRegressor")
def voting_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the values; NumPy adds eight or more of them in an order that depends on the number of rows."""
    parts = [part["values"] for part in members(estimator.estimators_, x, draft, "values")]
    values = mean(parts, draft, exact=len(parts) < 8, weights=estimator._weights_not_none)
    return {"values": values, "transform": draft.join(parts)}


@converts("sklearn.BaggingClassifier", "imblearn.BalancedBaggingClassifier", "imblearn.EasyEnsembleClassifier")
def bagging_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the members' probabilities, or of their votes if they have none, each over its own features.

    The ensemble's decision_function is left out, since the labels do not depend on it.
    """
    width, parts = len(estimator.classes_), []
    if (trees := _own_trees(estimator, x, draft, CLASSIFIERS)) is not None:
        shares = add_sum(trees, x, draft, np.zeros(width), single=True, mean=True, exact=True, divide=len(trees))
        return {"index": draft.argmax(shares), "probabilities": shares}
    for place, (part, features) in enumerate(zip(estimator.estimators_, estimator.estimators_features_, strict=True)):
        has = hasattr(part, "predict_proba")
        outputs = member(part, draft.take(x, features), draft, f"members.{place}", "probabilities" if has else "index")
        # the members learned the positions of the classes, not the classes
        if has:
            parts.append(
                aligned(outputs["probabilities"], positions(part.classes_, range(width), draft, "bagging"), width, draft)
            )
        else:
            parts.append(vote([recoded(outputs["index"], part.classes_, draft)], width, draft))
    shares = mean(parts, draft, exact=True)
    return {"index": draft.argmax(shares), "probabilities": shares}


@converts("sklearn.BaggingRegressor")
def bagging_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the members' values, each over its own features."""
    if (trees := _own_trees(estimator, x, draft, REGRESSORS)) is not None:
        base = np.zeros(trees[0].value.shape[1])
        return {"values": add_sum(trees, x, draft, base, single=True, mean=True, exact=True, divide=len(trees))}
    pairs = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    parts = [
        member(part, draft.take(x, features), draft, f"members.{place}", "values")["values"]
        for place, (part, features) in enumerate(pairs)
    ]
    return {"values": mean(parts, draft, exact=True)}


def _own_trees(estimator: Any, x: Value, draft: Draft, kinds: tuple[str, ...]) -> list[Tree] | None:
    """Return the members as the trees of one forest, which takes less time than one after the other.

    :param kinds: the classes of estimators that are trees.
    :returns: None if a member is no such tree, or if a column is read by none.
    """
    parts, features = estimator.estimators_, estimator.estimators_features_
    read = np.unique(np.concatenate(features))
    if len(read) != len(x.columns) or not all(class_name(part) in kinds and part.n_outputs_ == 1 for part in parts):
        return None
    trees = []
    for part, own in zip(parts, features, strict=True):
        value = part.tree_.value[:, 0]
        if kinds == CLASSIFIERS:
            places = positions(part.classes_, range(len(estimator.classes_)), draft, "bagging")
            value = np.zeros((len(value), len(estimator.classes_)))
            value[:, places] = class_shares(part.tree_.value[:, 0, : len(places)])
        tree = of_sklearn(part, value)
        trees.append(replace(tree, feature=np.where(tree.left < 0, tree.feature, np.asarray(own)[tree.feature])))
    return trees


@converts("sklearn.AdaBoostClassifier", "imblearn.RUSBoostClassifier")
def ada_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to scores, which each member adds to, and the softmax of these scores.

    :raises ConversionRefused: it has one class, or was fitted by SAMME.R over members that are no trees.
    """
    classes = len(estimator.classes_)
    if classes < 2:
        raise ConversionRefused(draft.path, "AdaBoostClassifier", "it was fitted on one class; fit it on more data")
    by_shares = getattr(estimator, "algorithm", "SAMME") == "SAMME.R"  # the default before scikit-learn 1.6
    scores = _ada_shares(estimator, x, draft) if by_shares else _ada_votes(estimator, x, draft)
    if classes > 2:
        halves = draft.add("scale.center", scores, columns=classes, arrays={"divide": [classes - 1.0] * classes})
        index = draft.argmax(scores)
    else:
        scores = draft.affine(scores, [[-1.0, 1.0]])
        halves = draft.affine(scores, [[-0.5], [0.5]])
        index = draft.add("labels.above", scores, columns=1, inclusive=False)
    return {"index": index, "probabilities": draft.add("links.softmax", halves, columns=classes), "scores": scores}


def _ada_shares(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the scores of SAMME.R, in which each member adds the logarithms of its shares; of a tree these are its leaves.

    :raises ConversionRefused: a member is no tree, or saw fewer classes than the whole.
    """
    classes = len(estimator.classes_)
    trees = []
    for part in estimator.estimators_:
        if class_name(part) not in CLASSIFIERS:
            helps = "the algorithm SAMME.R, which scikit-learn dropped, has a conversion for trees only; fit it anew with SAMME"
            raise ConversionRefused(draft.path, "AdaBoostClassifier", helps)
        if not np.array_equal(part.classes_, estimator.classes_):
            raise ConversionRefused(draft.path, "AdaBoostClassifier", "a member saw not all classes; fit it anew with SAMME")
        shares = class_shares(part.tree_.value[:, 0, :classes])
        logs = np.log(np.clip(shares, np.finfo(float).eps, None))
        trees.append(of_sklearn(part, (classes - 1) * (logs - (1.0 / classes) * logs.sum(axis=1, keepdims=True))))
    base = np.zeros(classes)
    return add_sum(trees, x, draft, base, single=True, mean=True, exact=True, divide=len(trees))


def _ada_votes(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the votes for and against each class, over the sum of their weights."""
    classes = len(estimator.classes_)
    answers = members(estimator.estimators_, x, draft, "index")
    indices = []
    for part, outputs in zip(estimator.estimators_, answers, strict=True):
        places = positions(part.classes_, estimator.classes_, draft, "AdaBoostClassifier")
        indices.append(recoded(outputs["index"], places, draft))
    weights = np.asarray(estimator.estimator_weights_[: len(answers)], dtype=float)
    votes = vote(indices, classes, draft, weights, -1 / (classes - 1) * weights)
    whole = float(estimator.estimator_weights_.sum())
    return draft.add("scale.center", votes, columns=classes, arrays={"divide": [whole] * classes})


@converts("sklearn.AdaBoostRegressor")
def ada_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the weighted median of the members' values."""
    values = [part["values"] for part in members(estimator.estimators_, x, draft, "values")]
    weights = np.asarray(estimator.estimator_weights_[: len(values)], dtype=float)
    return {"values": draft.add("ensemble.median", draft.join(values), columns=1, arrays={"weights": weights})}


@converts("sklearn.StackingClassifier")
def stacking_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the final estimator over the members' answers; it learned labels as their positions.

    :raises ConversionRefused: the final estimator did not learn each class of one output.
    """
    final = estimator.final_estimator_
    if isinstance(estimator.classes_, list) or list(final.classes_) != list(range(len(estimator.classes_))):
        helps = "its final estimator did not learn each class of one output; fit one StackingClassifier an output"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    stacked = _stacked(estimator, x, draft)
    return {**member(final, stacked, draft, "final_estimator", "index"), "transform": stacked}


@converts("sklearn.StackingRegressor")
def stacking_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the final estimator over the members' answers."""
    stacked = _stacked(estimator, x, draft)
    return {**member(estimator.final_estimator_, stacked, draft, "final_estimator", "values"), "transform": stacked}


def _stacked(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the members' answers side by side, and the input after them if it is passed through.

    :raises ConversionRefused: a member does not have the answers that the stack reads.
    """
    parts = []
    kept = [part for part in estimator.estimators_ if not isinstance(part, str)]
    for place, (part, method) in enumerate(zip(kept, estimator.stack_method_, strict=True)):
        outputs = member(part, x, draft, f"members.{place}")
        if method == "predict_proba" and "probabilities" in outputs:
            shares = outputs["probabilities"]
            binary = len(estimator.classes_) == 2
            parts.append(draft.take(shares, list(range(int(binary), len(shares.columns)))))
        elif method == "decision_function" and "scores" in outputs:
            parts.append(outputs["scores"])
        elif method == "predict" and "values" in outputs:
            parts.append(outputs["values"])
        elif method == "predict" and "index" in outputs:
            parts.append(recoded(outputs["index"], part.classes_, draft))
        else:
            raise ConversionRefused(draft.path, class_name(part), f"its {method} has no conversion, which the stack needs")
    return draft.join([*parts, x] if estimator.passthrough else parts)
