"""Convert CatBoost models, from the JSON in which CatBoost saves a model.

Its rules (1.2: `catboost/libs/model/`): splits of float features ask `x > border` in float32; leaves are added in double
precision, one by one in the order of the trees, so that raw sums are equal bit for bit on the same processor; categories are
hashes of their text, and statistics by category are float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.catboost_json import Question, Saved
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.members import above
from flyweight.toolkit.convert.trees import Array, add_sum

LINKS = {"Logloss": "links.sigmoid", "CrossEntropy": "links.sigmoid", "MultiClass": "links.softmax"}


@converts("catboost.CatBoostClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the most likely class; two classes share one sum.

    :raises ConversionRefused: the loss has an unknown link, or it can't be converted.
    """
    cls, saved = class_name(estimator), _saved(estimator, draft)
    raw = _sums(saved, x, draft, cls)
    if saved.loss == "MultiClassOneVsAll":
        return {"index": draft.argmax(raw), "probabilities": _each("expit", raw, draft)}
    if saved.loss not in LINKS:
        known = ", ".join([*LINKS, "MultiClassOneVsAll"])
        raise ConversionRefused(draft.path, cls, f"the link of loss {saved.loss!r} is not known; known are {known}")
    if saved.loss == "MultiClass":
        return {"index": draft.argmax(raw), "probabilities": draft.add("links.softmax", raw, columns=len(raw.columns))}
    share = estimator.get_probability_threshold()
    limit = 0.0 if share is None or share == 0.5 else -math.log(1.0 / share - 1.0)
    shares = draft.add("links.sigmoid", raw, columns=2, factor=1)
    return {"index": above(raw, limit, draft, inclusive=False), "probabilities": shares}


@converts("catboost.CatBoostRegressor", "catboost.CatBoostRanker", "catboost.CatBoost")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `predict`: raw sums, under `exp` for a regressor's Poisson and Tweedie; `CatBoost` always gives raw sums.

    :raises ConversionRefused: it predicts in another form, or can't be converted.
    """
    cls, saved = class_name(estimator), _saved(estimator, draft)
    kind = estimator._get_default_prediction_type() if hasattr(estimator, "_get_default_prediction_type") else "RawFormulaVal"
    if kind not in ("RawFormulaVal", "Exponent"):
        raise ConversionRefused(draft.path, cls, f"it predicts {kind}, which has no conversion; fit with another loss_function")
    raw = _sums(saved, x, draft, cls)
    return {"values": _each("exp", raw, draft) if kind == "Exponent" else raw}


def _each(function: str, raw: Value, draft: Draft) -> Value:
    """Add a function of each raw sum."""
    return draft.add("elementwise.apply", raw, columns=raw.columns, function=function, takes="any", names=raw.names)


def _saved(estimator: Any, draft: Draft) -> Saved:
    """Return the model's JSON.

    :raises ConversionRefused: it has no tree, or text or embedding features.
    """
    model = getattr(estimator, "booster_", estimator)
    for kind, listed in (("text", model.get_text_feature_indices()), ("embedding", model.get_embedding_feature_indices())):
        if len(listed):  # CatBoost saves such a model in its own form only, and crashes when it reads one from a copy of a pickle
            names = ", ".join(repr(str(model.feature_names_[place])) for place in listed[:5])
            helps = f"its {kind} features ({names}) have no conversion; turn them into numbers in a Pipeline before it"
            raise ConversionRefused(draft.path, class_name(estimator), helps, final=True)
    saved = Saved.of(estimator)
    if not saved.trees:
        raise ConversionRefused(draft.path, class_name(estimator), "it has no tree; fit it on more data")
    return saved


def _sums(saved: Saved, x: Value, draft: Draft, cls: str) -> Value:
    """Add the raw sums; `cls` is the name of the class."""
    columns = _columns(saved, x, draft, cls)
    width = len(saved.bias)
    if saved.is_oblivious:
        places = [[saved.place(split) for split in tree.get("splits") or []] for tree in saved.trees]
        leaves = np.concatenate([np.asarray(tree["leaf_values"], dtype=float).reshape(-1, width) for tree in saved.trees])
        arrays = {
            **_questions(list(saved.questions)),
            "asked": np.array([place for of_tree in places for place in of_tree], dtype=int),
            "starts": np.cumsum([0, *map(len, places)]),
            "leaves": leaves,
            "scale": [saved.scale],
            "bias": saved.bias,
        }
        return draft.add("catboost.oblivious", columns, columns=width, arrays=arrays)
    equals = sorted({q for q in map(saved.question, _splits(saved.trees)) if q.equal}, key=lambda q: (q.column, q.border))
    column_of = {question: len(columns.columns) + place for place, question in enumerate(equals)}
    if equals:
        answers = draft.add("catboost.answers", columns, columns=len(equals), arrays=_questions(equals))
        columns = draft.join([columns, answers])
    trees = [saved.plain_tree(tree, column_of) for tree in saved.trees]
    targets = np.zeros(len(trees), dtype=int)
    base = np.zeros(width)
    raw = add_sum(trees, columns, draft, base, targets=targets, single=False, mean=False, exact=True)
    return draft.stretch(raw, saved.scale, saved.bias)


def _splits(trees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the splits of all nodes of trees that are not oblivious."""
    splits, stack = [], list(trees)
    while stack:
        node = stack.pop()
        if "split" in node:
            splits.append(node["split"])
            stack += [node["left"], node["right"]]
    return splits


def _questions(questions: list[Question]) -> dict[str, Array]:
    return {
        "feature": np.array([question.column for question in questions], dtype=int),
        "border": np.array([question.border for question in questions], dtype=float),
        "equal": np.array([question.equal for question in questions], dtype=np.uint8),
        "missing": np.array([question.missing for question in questions], dtype=np.uint8),
    }


def _columns(saved: Saved, x: Value, draft: Draft, cls: str) -> Value:
    """Add the columns that splits ask about: float features, hashes of categories, statistics."""
    floats = [feature["flat_feature_index"] for feature in saved.features("float_features")]
    categories = [feature["flat_feature_index"] for feature in saved.features("categorical_features")]
    parts = []
    if floats:
        taken = draft.take(x, floats)
        for position, feature in enumerate(saved.features("float_features")):
            draft.note_edges(taken, position, np.array(feature["borders"] or [], dtype=np.float32).astype(float))
        parts.append(draft.add("float32.rounded", taken, columns=taken.columns, missing=[]))
    if categories:
        taken = draft.take(x, categories)
        parts.append(draft.add("hashes.city", taken, columns=[Column(f"hash of {n}") for n in taken.names], names=taken.names))
    plain = draft.join(parts)
    return draft.join([plain, *(_statistic(one, saved, plain, draft, cls) for one in saved.features("ctrs"))])


# type of a statistic -> the first count and the end of its counts among `n`; `b` is the number of the target's border
COUNTS: dict[str, Callable[[int, int], tuple[int, int]]] = {
    "Borders": lambda b, n: (b + 1, n),
    "Buckets": lambda b, n: (b, b + 1),
    "BinarizedTargetMeanValue": lambda b, n: (0, 1),
    "Counter": lambda b, n: (0, 1),
}


def _statistic(one: dict[str, Any], saved: Saved, plain: Value, draft: Draft, cls: str) -> Value:
    """Add one statistic over the columns of features and hashes, `plain`.

    :raises ConversionRefused: its type is unknown.
    """
    kind = one["ctr_type"]
    if kind not in COUNTS:
        raise ConversionRefused(draft.path, cls, f"statistics of type {kind} have no conversion; use Borders or Counter")
    offset = len(saved.features("float_features"))
    hashed, questions = [], []
    for element in one["elements"]:
        if element["combination_element"] == "cat_feature_value":
            hashed.append(offset + element["cat_feature_index"])
        elif element["combination_element"] == "float_feature":
            questions.append(saved.question({**element, "split_type": "FloatFeature"}))
        else:
            questions.append(saved.question({**element, "split_type": "OneHotFeature"}))
    x, answered = plain, []
    if questions:
        answers = draft.add("catboost.answers", plain, columns=len(questions), arrays=_questions(questions))
        x = draft.join([plain, answers])
        answered = list(range(len(plain.columns), len(x.columns)))
    keys, counts, denominator = saved.tables(one)
    total = {"total": [denominator]} if kind == "Counter" else {}
    if kind == "BinarizedTargetMeanValue":  # a sum, and the number of its terms
        total, counts = {}, np.column_stack([counts[:, 0], counts[:, 1] - counts[:, 0]])
    first, last = COUNTS[kind](one["target_border_idx"], counts.shape[1])
    shape = [one["prior_numerator"], one["prior_denomerator"], one["shift"], one["scale"]]
    arrays = {"keys": keys, "counts": counts, "shape": np.array(shape, dtype=float), **total}
    extra = {"hashed": hashed, "answered": answered, "first": first, "last": last}
    return draft.add("catboost.statistic", x, columns=1, arrays=arrays, **extra)
