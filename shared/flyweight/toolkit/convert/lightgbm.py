"""Convert LightGBM models, from the text in which LightGBM saves a model.

Its rules (`tree.h`, `gbdt_prediction.cpp`, `objective/*.hpp`): everything is float64, and leaves are added one by one in the
order of the trees, so that raw sums are equal bit for bit; the links differ by the last bits of `exp`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import class_name, converts
from flyweight.toolkit.convert.draft import Column, ConversionRefused, Draft, Outputs, Value, plain
from flyweight.toolkit.convert.lightgbm_text import ZERO_MISSING, Saved, SavedTree
from flyweight.toolkit.convert.trees import Array, Tree, add_sum, flat

WIDE = 256  # categories from this number on are numbered anew, so that their tables stay small

# objective -> the elementwise functions of its link, one after the other
LINKS = {
    **dict.fromkeys(("binary", "multiclassova", "cross_entropy"), ("expit",)),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), ("exp",)),
    "cross_entropy_lambda": ("exp", "log1p"),
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape", "lambdarank", "rank_xendcg"), ()),
    "": (),  # a custom objective: raw sums
}


@converts("lightgbm.LGBMClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the most likely class; two classes share one sum.

    :raises ConversionRefused: its objective is a function, or it can't be converted.
    """
    if callable(estimator.objective):
        helps = "with a custom objective LightGBM gives raw scores for labels; use a built-in one, or an LGBMRegressor"
        raise ConversionRefused(draft.path, class_name(estimator), helps)
    raw, answers = _answers(estimator, x, draft)
    if len(answers.columns) == 1:  # `np.vstack((1.0 - result, result))`
        answers = draft.affine(answers, [[-1.0], [1.0]], [1.0, 0.0])
    scores = {"scores": raw} if hasattr(estimator, "decision_function") else {}  # since LightGBM 4.7
    return {"index": draft.argmax(answers), "probabilities": answers, **scores}


@converts("lightgbm.LGBMRegressor", "lightgbm.LGBMRanker", "lightgbm.Booster")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to `predict`: sums under the objective's link; a ranker gives scores, a native booster of classes probabilities.

    :raises ConversionRefused: it can't be converted.
    """
    return {"values": _answers(estimator, x, draft)[1]}


def _answers(estimator: Any, x: Value, draft: Draft) -> tuple[Value, Value]:
    """Add the raw sums, and the answers of `predict`, for which LightGBM divides a random forest's sums.

    :raises ConversionRefused: it has no tree, or leaves trees out row by row.
    """
    cls, model = class_name(estimator), estimator.booster_
    if model.params.get("pred_early_stop") or getattr(estimator, "pred_early_stop", False):
        raise ConversionRefused(draft.path, cls, "pred_early_stop leaves trees out, row by row; fit without it")
    saved = Saved.of(model.model_to_string())  # up to the best iteration, where `predict` stops as well
    if not saved.trees:
        raise ConversionRefused(draft.path, cls, "it has no tree; fit it on more data")
    raw = _sums(saved, x, draft, cls)
    answer = raw
    if saved.averages:
        arrays = {"divide": [float(len(saved.trees) // saved.width)] * saved.width}
        answer = draft.add("scale.center", raw, columns=saved.width, arrays=arrays)
    return raw, _linked(answer, saved, draft, cls)


def _linked(raw: Value, saved: Saved, draft: Draft, cls: str) -> Value:
    """Add the objective's link over the raw sums; `cls` is the name of the class.

    :raises ConversionRefused: the link is unknown.
    """
    name, *options = saved.header.get("objective", "").split(" ")
    if name in ("multiclass", "softmax"):
        return draft.add("links.softmax", raw, columns=len(raw.columns))
    if name not in LINKS:
        raise ConversionRefused(draft.path, cls, f"the link of objective {name!r} is not known; known are {', '.join(LINKS)}")
    slope = next((float(option.partition(":")[2]) for option in options if option.startswith("sigmoid:")), 1.0)
    if slope != 1.0:
        raw = draft.stretch(raw, slope)
    if "sqrt" in options:
        raw = draft.add("boosted.signed_square", raw, columns=len(raw.columns))
    for function in LINKS[name]:
        raw = draft.add("elementwise.apply", raw, columns=raw.columns, function=function, takes="any", names=raw.names)
    return raw


def _sums(saved: Saved, x: Value, draft: Draft, cls: str) -> Value:
    """Add the raw sums; `cls` is the name of the class.

    :raises ConversionRefused: some of its trees take zero for missing, and others don't.
    """
    zeros = {f for f, kinds in saved.splits(categorical=False).items() if ZERO_MISSING in kinds}
    if any(kinds != {ZERO_MISSING} for f, kinds in saved.splits(categorical=False).items() if f in zeros):
        raise ConversionRefused(draft.path, cls, "some of its trees take zero for missing and others don't; fit it anew")
    if zeros:
        x = draft.add("boosted.zero_is_missing", x, columns=x.columns, positions=sorted(zeros))
    x, places, codes = _coded(saved, x, draft, cls)
    tables: list[list[int]] = []
    trees = [_tree(tree, places, codes, tables) for tree in saved.trees]
    more = {"goes_left": _flags(tables)} if tables else {}
    targets = np.arange(len(trees)) % saved.width
    if any(tree.is_linear for tree in saved.trees):
        return _linear(saved, trees, x, draft, {**more, "targets": targets}, places)
    base = np.zeros(saved.width)
    return add_sum(trees, x, draft, base, targets=targets, more=more, single=False, mean=False, exact=True)


def _coded(saved: Saved, x: Value, draft: Draft, cls: str) -> tuple[Value, Array, dict[int, dict[int, int]]]:
    """Add the categories as small numbers.

    :returns: the input with these numbers; the position of each feature in it; for each feature that was numbered anew the new
        numbers of its categories.
    :raises ConversionRefused: pandas' categories do not fit the categorical features, or are neither strings nor numbers.
    """
    by_category = sorted(saved.splits(categorical=True))
    if saved.pandas and len(saved.pandas) != len(saved.declared):
        helps = (
            "it was fitted on ordered categories, or on others than its `categorical_feature`; give their `.cat.codes` instead"
        )
        raise ConversionRefused(draft.path, cls, helps)
    known: dict[int, list[Any]] = dict(zip(saved.declared, saved.pandas, strict=True)) if saved.pandas else {}
    for feature, categories in known.items():
        draft.note_framed(x, feature, categories)
    codes: dict[int, dict[int, int]] = {}
    numeric = [feature for feature in by_category if feature not in known]
    if numeric:
        x = draft.add("boosted.whole", x, columns=x.columns, positions=numeric)
    for feature in numeric:
        used = sorted({category for tree in saved.trees for category in _used(tree, feature)})
        draft.note_categories(x, feature, saved.seen(feature) or used)
        if used[-1] >= WIDE:
            known[feature] = used
            codes[feature] = {category: code for code, category in enumerate(used)}
    places = np.arange(len(x.columns))
    if not known:
        return x, places, codes
    first = sorted(known)
    rest = [position for position in range(len(x.columns)) if position not in known]
    places[first + rest] = np.arange(len(x.columns))
    encoded = _ordinal(draft.take(x, first), [known[feature] for feature in first], draft, cls)
    return draft.join([encoded, draft.take(x, rest)] if rest else [encoded]), places, codes


def _used(tree: SavedTree, feature: int) -> list[int]:
    """Return the categories of a feature that a tree's splits name."""
    splits = np.flatnonzero(tree.categorical & (tree.feature == feature)).tolist()
    return [category for split in splits for category in tree.categories(split)]


def _ordinal(x: Value, known: list[list[Any]], draft: Draft, cls: str) -> Value:
    """Add each category's place; an unseen category counts as missing.

    :raises ConversionRefused: a category is neither a string nor a number.
    """
    listed = [[plain(category) for category in categories] for categories in known]
    for position, categories in enumerate(listed):
        if any(not isinstance(category, (str, int, float)) for category in categories):
            helps = f"categories of {x.names[position]!r} are neither strings nor numbers; turn them into strings"
            raise ConversionRefused(draft.path, cls, helps)
        draft.note_categories(x, position, categories)
    tables: dict[str, Any] = {"categories": listed, "codes": [list(range(len(categories))) for categories in listed]}
    absent = ["nan"] * len(listed)
    columns = [Column(f"code of {name}") for name in x.names]
    return draft.add("encode.ordinal", x, columns=columns, **tables, unseen=absent, missing=absent, names=x.names)


def _tree(saved: SavedTree, places: Array, codes: dict[int, dict[int, int]], tables: list[list[int]]) -> Tree:
    """Return a tree, its splits first, then its leaves; a tree of one leaf has no split.

    :param places: the position of each feature.
    :param codes: the new numbers of categories, by feature.
    :param tables: the categories that go left, a list for each categorical split; this tree's are appended.
    """
    leaves = saved.numbers("leaf_value")
    splits = len(saved.feature)
    ends = np.full(len(leaves), -1)
    children = [np.concatenate([_children(saved.whole(key), splits), ends]) for key in ("left_child", "right_child")]
    split = np.full(splits + len(leaves), -1)
    for node in np.flatnonzero(saved.categorical).tolist():
        split[node] = len(tables)
        own = codes.get(int(saved.feature[node]))
        tables.append([own[category] if own else category for category in saved.categories(node)])
    feature, threshold, missing, value = (
        np.concatenate(parts)
        for parts in (
            (places[saved.feature], ends),
            (saved.thresholds(), np.zeros(len(leaves))),
            (saved.missing_goes_left(), np.zeros(len(leaves), dtype=bool)),
            (np.zeros(splits), leaves),
        )
    )
    return Tree(children[0], children[1], feature, threshold, missing, value.reshape(-1, 1), split)


def _children(saved: Array, splits: int) -> Array:
    return np.where(saved >= 0, saved, splits + ~saved)


def _flags(tables: list[list[int]]) -> Array:
    """Return one flag a category for each categorical split."""
    flags = np.zeros((len(tables), 1 + max((max(row, default=0) for row in tables), default=0)), dtype=np.uint8)
    for row, categories in zip(flags, tables, strict=True):
        row[categories] = 1
    return flags


def _linear(saved: Saved, trees: list[Tree], x: Value, draft: Draft, more: dict[str, Array], places: Array) -> Value:
    """Add trees with linear leaves: one entry a leaf, in the order of the flat form."""
    values: list[float] = []
    constants: list[float] = []
    terms: list[list[tuple[int, float]]] = []
    numbered = []
    for tree, own in zip(trees, saved.trees, strict=True):
        count = len(own.numbers("leaf_value"))
        number = np.concatenate([np.zeros(len(own.feature)), np.arange(len(values), len(values) + count)])
        numbered.append(
            Tree(tree.left, tree.right, tree.feature, tree.threshold, tree.missing, number.reshape(-1, 1), tree.split)
        )
        values += own.numbers("leaf_value").tolist()
        constants += (own.numbers("leaf_const") if own.is_linear else own.numbers("leaf_value")).tolist()
        terms += _terms(own, count, places)
    arrays = flat(numbered)
    kept = arrays.pop("leaves")[:, 0].astype(int)
    rows = [terms[leaf] for leaf in kept]
    arrays |= {
        "leaves": np.array(values)[kept],
        "constants": np.array(constants)[kept],
        "starts": np.cumsum([0, *map(len, rows)]),
        "features": np.array([feature for row in rows for feature, _ in row], dtype=int),
        "coefficients": np.array([coefficient for row in rows for _, coefficient in row], dtype=float),
    }
    return draft.add("boosted.linear_leaves", x, columns=saved.width, arrays={**arrays, **more}, outputs=saved.width)


def _terms(saved: SavedTree, count: int, places: Array) -> list[list[tuple[int, float]]]:
    """Return each leaf's linear terms, pairs of the feature's position and the coefficient."""
    if not saved.is_linear:
        return [[] for _ in range(count)]
    pairs = list(zip(places[saved.whole("leaf_features")].tolist(), saved.numbers("leaf_coeff").tolist(), strict=True))
    ends = np.cumsum(saved.whole("num_features"))
    return [pairs[end - size : end] for end, size in zip(ends, saved.whole("num_features"), strict=True)]
