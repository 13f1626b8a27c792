"""Convert XGBoost models, from the JSON in which XGBoost saves a model (`Booster.save_raw`, 2.1 and later).

Its rules (3.x: `src/predictor/cpu_predictor.cc`, `predict_fn.h`, `src/common/categorical.h`, `src/objective/`): inputs are
float32 and go left if `x < t`; to the base score the leaves are added in the order of the trees, each sum rounded to float32.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.trees import Array, Tree, flat
from flyweight.toolkit.convert.xgboost_json import Saved

LINKS = {
    **dict.fromkeys(("binary:logistic", "reg:logistic"), "float32.sigmoid"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"), "float32.exp"),
    "multi:softprob": "float32.softmax",
}
IDENTITY = ("squarederror", "squaredlogerror", "pseudohubererror", "absoluteerror", "quantileerror", "expectileerror")
RAW = {"binary:logitraw", "rank:ndcg", "rank:map", "rank:pairwise", *(f"reg:{name}" for name in IDENTITY)}


@converts("xgboost.XGBClassifier", "xgboost.XGBRFClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the most likely class; two classes share one sum.

    :raises ConversionRefused: its objective gives no probabilities, it answers several labels, or it can't be converted.
    """
    cls, saved = class_name(estimator), _saved(estimator, draft)
    objective, width = str(estimator.objective), saved.outputs
    if callable(estimator.objective) or objective not in ("binary:logistic", "multi:softprob"):
        helps = f"objective {objective} gives no probabilities of its own; fit with binary:logistic or multi:softprob"
        raise ConversionRefused(draft.path, cls, helps)
    if width != (1 if estimator.n_classes_ == 2 else estimator.n_classes_):
        raise ConversionRefused(draft.path, cls, "several labels at once can't be told apart; wrap it in MultiOutputClassifier")
    answers = _linked(_sums(saved, x, draft), saved, draft, cls)
    if width == 1:
        answers = draft.add("float32.both", answers, columns=2)
    return {"index": draft.argmax(answers), "probabilities": answers}


@converts("xgboost.XGBRegressor", "xgboost.XGBRFRegressor", "xgboost.XGBRanker", "xgboost.Booster")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `predict`: sums under the objective's link; a ranker gives scores, a native booster of classes probabilities.

    :raises ConversionRefused: it can't be converted.
    """
    cls, saved = class_name(estimator), _saved(estimator, draft)
    return {"values": _linked(_sums(saved, x, draft), saved, draft, cls)}


def _saved(estimator: Any, draft: Draft) -> Saved:
    """Return the model's JSON, with its base score and the value that counts as missing.

    :raises ConversionRefused: the model can't be converted.
    """
    booster = estimator.get_booster()
    saved = Saved(json.loads(bytes(booster.save_raw("json"))), getattr(estimator, "best_iteration", None))
    reason = saved.refusal()
    if reason:
        raise ConversionRefused(draft.path, class_name(estimator), reason)
    # the base score before the link, by XGBoost's own arithmetic: a model without splits answers it
    empty = type(booster)()
    empty.load_model(bytearray(json.dumps(saved.without_splits()).encode()))
    base = empty.inplace_predict(np.zeros((1, saved.features), dtype=np.float32), predict_type="margin")
    saved.base = np.ravel(base).astype(float)
    saved.missing = float(getattr(estimator, "missing", np.nan))
    return saved


def _linked(raw: Value, saved: Saved, draft: Draft, cls: str) -> Value:
    """Add the objective's link over the raw sums; `cls` is the name of the class.

    :raises ConversionRefused: the link is unknown.
    """
    name = saved.objective
    if name == "reg:expectileerror" and len(raw.columns) > 1:
        return draft.add("float32.rising", raw, columns=len(raw.columns))
    if name in LINKS:
        return draft.add(LINKS[name], raw, columns=len(raw.columns))
    if name in RAW:
        return raw
    if name == "survival:aft":  # in double precision, its template's type (`src/objective/aft_obj.cu`)
        means = draft.add("elementwise.apply", raw, columns=1, function="exp", takes="any", names=raw.names)
        return draft.add("float32.rounded", means, columns=1, missing=[])
    if name == "multi:softmax":
        return draft.argmax(raw)
    known = ", ".join(sorted({*LINKS, *RAW}))
    raise ConversionRefused(draft.path, cls, f"the link of objective {name!r} is not known; known are {known}")


def _sums(saved: Saved, x: Value, draft: Draft) -> Value:
    """Add the raw sums."""
    x, places = _coded(saved, x, draft)
    absent = [] if np.isnan(saved.missing) else [saved.missing]
    x = draft.add("float32.rounded", x, columns=x.columns, missing=absent)
    widths = {feature: max(categories) + 1 for feature, categories in saved.split_categories().items()}
    limits = {feature: width for feature, width in widths.items() if feature not in saved.categories}
    if limits:
        listed = [0] * len(x.columns)
        for feature, limit in limits.items():
            listed[places[feature]] = limit
        x = draft.add("float32.category", x, columns=x.columns, limits=listed)
    tables: list[list[int]] = []
    trees = [_tree(tree, number, saved, places, tables) for number, tree in enumerate(saved.trees)]
    arrays = {**flat(trees), "base": saved.base}
    if tables:
        # wide enough that categories that no split lists go left as well
        wide = max(2 + max(map(max, tables)), *map(len, saved.categories.values()), 0)
        arrays["goes_left"] = np.ones((len(tables), wide), dtype=np.uint8)
        for row, categories in zip(arrays["goes_left"], tables, strict=True):
            row[categories] = 0  # listed categories go right, all others left
    if arrays["leaves"].shape[1] == 1:
        arrays["targets"] = np.array(saved.targets)
    for position in range(len(x.columns)):
        own = arrays["threshold"][arrays["feature"] == position]
        draft.note_edges(x, position, np.unique(own))
    sums = draft.add("float32.sum", x, columns=saved.outputs, arrays=arrays)
    draft.arrays[f"{sums.name}.threshold"] = arrays["threshold"].astype(np.float32)  # exact: they were float32
    return sums


def _coded(saved: Saved, x: Value, draft: Draft) -> tuple[Value, Array]:
    """Add the numbers of the categories that the model knows by name.

    :returns: the input with these numbers, and the position of each feature in it.
    """
    places = np.arange(len(x.columns))
    for feature, width in saved.split_categories().items():
        if feature not in saved.categories:
            draft.note_categories(x, feature, sorted({*width}))
    if not saved.categories:
        return x, places
    first = sorted(saved.categories)
    rest = [position for position in range(len(x.columns)) if position not in saved.categories]
    places[first + rest] = np.arange(len(x.columns))
    known = [saved.categories[feature] for feature in first]
    part = draft.take(x, first)
    for position, categories in enumerate(known):
        draft.note_categories(part, position, categories)
        draft.note_framed(part, position, categories)
    encoded = draft.add(
        "encode.ordinal",
        part,
        columns=[Column(f"code of {name}") for name in part.names],
        categories=known,
        codes=[list(range(len(categories))) for categories in known],
        unseen=["refuse"] * len(known),
        missing=["nan"] * len(known),
        names=part.names,
    )
    return draft.join([encoded, draft.take(x, rest)] if rest else [encoded]), places


def _tree(tree: dict[str, Any], number: int, saved: Saved, places: Array, tables: list[list[int]]) -> Tree:
    """Return a tree.

    :param number: the tree's number in the model.
    :param places: the position of each feature.
    :param tables: the categories that go right, a list for each categorical split; this tree's are appended.
    """
    left, right = np.array(tree["left_children"]), np.array(tree["right_children"])
    split = np.full(len(left), -1)
    for node, categories in Saved.node_categories(tree).items():
        split[node] = len(tables)
        tables.append(categories)
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    threshold = np.nextafter(conditions, np.float32(-np.inf))  # x < t of float32 is x <= the one before t
    threshold = np.where(split >= 0, np.float32(0.0), threshold).astype(float)
    feature, missing = places[np.array(tree["split_indices"])], np.array(tree["default_left"])
    return Tree(left, right, feature, threshold, missing, saved.leaf_values(tree, number), split)
