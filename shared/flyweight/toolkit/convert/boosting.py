"""Convert scikit-learn's gradient boosting: sums of trees under a link."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts, transform
from flyweight.toolkit.convert.draft import ConversionRefused, Draft, Outputs, Value
from flyweight.toolkit.convert.trees import Array, Tree, add_sum, of_sklearn


@converts("sklearn.GradientBoostingClassifier")
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to raw sums; two classes share one sum, which means the second class at or above zero.

    :raises ConversionRefused: it starts from an estimator that predicts each row differently.
    """
    factor = 2 if estimator.loss == "exponential" else 1
    return _classes(_stages(estimator, x, draft), draft, inclusive=True, factor=factor)


@converts("sklearn.GradientBoostingRegressor")
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to raw sums, which are the values for any loss.

    :raises ConversionRefused: it starts from an estimator that predicts each row differently.
    """
    return {"values": _stages(estimator, x, draft)}


def _stages(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the sums of all stages' trees."""
    stages, width = estimator.estimators_.shape
    # the same product that `predict_stages` forms for each row, formed once
    rate = estimator.learning_rate
    trees = [of_sklearn(member, rate * member.tree_.value[:, :, 0]) for member in estimator.estimators_.ravel()]
    targets = np.tile(np.arange(width), stages)
    # not exact: on arm64 scikit-learn's compiler may fuse that product with the addition
    return add_sum(trees, x, draft, _initial(estimator, draft, width), targets=targets, single=True, mean=False, exact=False)


def _initial(estimator: Any, draft: Draft, width: int) -> Array:
    """Return the raw prediction before the first tree.

    :raises ConversionRefused: it differs from row to row.
    """
    initial = estimator.init_
    if isinstance(initial, str) and initial == "zero":
        return np.zeros(width)
    if not type(initial).__name__.startswith("Dummy"):
        helps = f"init={type(initial).__name__} predicts per row; fit with init=None or init='zero'"
        raise ConversionRefused(draft.path, type(estimator).__name__, helps)
    raw: Array = estimator._raw_predict_init(np.zeros((1, estimator.n_features_in_), dtype=np.float32))[0]
    return raw


@converts("sklearn.HistGradientBoostingClassifier")
def hist_classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to raw sums; two classes share one sum, which means the second class above zero.

    :raises ConversionRefused: it has no tree.
    """
    return _classes(_iterations(estimator, x, draft), draft, inclusive=False, factor=1)


@converts("sklearn.HistGradientBoostingRegressor")
def hist_regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to raw sums under the inverse of the loss's link.

    :raises ConversionRefused: it has no tree, or the link is unknown.
    """
    raw = _iterations(estimator, x, draft)
    link = type(estimator._loss.link).__name__
    if link == "IdentityLink":
        return {"values": raw}
    if link == "LogLink":
        return {"values": draft.add("links.exp", raw, columns=1)}
    raise ConversionRefused(draft.path, type(estimator).__name__, f"the link {link} is not known")


def _iterations(estimator: Any, x: Value, draft: Draft) -> Value:
    """Add the sums of all iterations' trees.

    :raises ConversionRefused: there is no tree.
    """
    encoder = getattr(estimator, "_preprocessor", None)  # before 1.4 categories are the numbers themselves
    if encoder is not None:  # categorical features are encoded, and moved before all others
        inputs = encoder._transformer_to_input_indices
        with draft.step("categories"):
            codes = transform(encoder.named_transformers_["encoder"], draft.take(x, inputs["encoder"]), draft)
        others = inputs["numerical"]
        x = draft.join([codes, draft.take(x, others)] if len(others) else [codes])
    known, feature_rows = estimator._bin_mapper.make_known_categories_bitsets()
    trees: list[Tree] = []
    tables: list[Array] = []
    for iteration in estimator._predictors:
        trees += [_hist_tree(predictor, known, feature_rows, tables) for predictor in iteration]
    width = estimator.n_trees_per_iteration_
    targets = np.tile(np.arange(width), len(estimator._predictors))
    base = np.ravel(np.asarray(estimator._baseline_prediction, dtype=float))
    if not trees:
        raise ConversionRefused(draft.path, type(estimator).__name__, "it has no tree; fit it on more data")
    more = {"goes_left": np.array(tables, dtype=np.uint8)} if tables else {}
    base = np.broadcast_to(base, (width,))
    return add_sum(trees, x, draft, base, targets=targets, more=more, single=False, mean=False, exact=True)


def _hist_tree(predictor: Any, known: Array, feature_rows: Array, tables: list[Array]) -> Tree:
    """Return a tree of histogram boosting; its categorical splits are appended to `tables`.

    :param known: bit sets of the categories seen in training, one row a categorical feature.
    :param feature_rows: the row of `known` of each feature.
    """
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    split = np.full(len(nodes), -1)
    for node in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf):
        split[node] = len(tables)
        left = _bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        seen = _bits(known[feature_rows[nodes["feature_idx"][node]]])
        # a category that training never saw goes where missing values go (`_predict_one_from_raw_data`)
        tables.append(np.where(left | seen, left, nodes["missing_go_to_left"][node]).astype(np.uint8))
    left = np.where(is_leaf, -1, nodes["left"].astype(np.int64))
    missing, value = nodes["missing_go_to_left"], nodes["value"].reshape(-1, 1)
    return Tree(left, nodes["right"].astype(np.int64), nodes["feature_idx"], nodes["num_threshold"], missing, value, split)


def _bits(bitset: Array) -> Array:
    """Return eight uint32 words as 256 flags, the lowest bit first."""
    return np.unpackbits(np.asarray(bitset, dtype="<u4").view(np.uint8), bitorder="little").astype(bool)


def _classes(raw: Value, draft: Draft, *, inclusive: bool, factor: int) -> Outputs:
    """Add the index and the probabilities of a classifier's raw sums."""
    if len(raw.columns) == 1:
        index = draft.add("labels.above", raw, columns=1, inclusive=inclusive)
        shares = draft.add("links.sigmoid", raw, columns=2, factor=factor)
    else:
        index = draft.argmax(raw)
        shares = draft.add("links.softmax", raw, columns=len(raw.columns))
    return {"index": index, "probabilities": shares, "scores": raw}
