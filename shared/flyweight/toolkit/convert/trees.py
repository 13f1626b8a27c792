"""Convert decision trees and forests, and write all trees in one flat form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value
from flyweight.toolkit.convert.releases import class_shares

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Tree:
    """One tree's nodes, the root first.

    `left` and `right` have the children's positions, below zero at a leaf; `value` has shape (nodes, outputs).
    """

    left: Array
    right: Array
    feature: Array
    threshold: Array
    missing: Array  # 1 where a missing value goes left
    value: Array
    split: Array | None = None  # the row of the categorical table, or -1


def of_sklearn(estimator: Any, value: Array) -> Tree:
    """Return a tree of `sklearn.tree` with these values, of shape (nodes, outputs)."""
    tree = estimator.tree_
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return Tree(tree.children_left, tree.children_right, tree.feature, tree.threshold, np.asarray(missing), value)


def flat(trees: Iterable[Tree]) -> dict[str, Array]:
    """Return the arrays of `trees.sum`: all trees one after the other in preorder, and each distinct leaf once.

    Trees are read one by one and kept in few bytes a node, so that a large forest needs little memory beside its own.
    """
    parts: dict[str, list[Array]] = {key: [] for key in ("feature", "threshold", "over", "missing", "split", "leaves")}
    roots, start, leaves = [], 0, 0
    for tree in trees:
        order = _preorder(tree)
        place = np.empty(len(tree.left), dtype=np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        is_leaf = tree.left[order] < 0
        distinct, which = _distinct(tree.value[order][is_leaf])
        feature = tree.feature[order].astype(np.int32)
        feature[is_leaf] = ~(leaves + which)
        parts["feature"].append(feature)
        parts["threshold"].append(np.where(is_leaf, 0.0, tree.threshold[order]))
        over = place[tree.right[order]] - np.arange(len(order), dtype=np.int32) - 1
        parts["over"].append(np.where(is_leaf, np.int32(0), over))
        parts["missing"].append(np.where(is_leaf, 0, tree.missing[order]).astype(np.uint8))
        split = np.full(len(order), -1, np.int32) if tree.split is None else np.where(is_leaf, -1, tree.split[order])
        parts["split"].append(split.astype(np.int32))
        parts["leaves"].append(distinct)
        roots.append(start)
        start += len(order)
        leaves += len(distinct)
    arrays = {key: np.concatenate(parts.pop(key)) for key in [*parts]}
    _share_leaves(arrays)
    categorical = arrays["split"] >= 0
    arrays["threshold"] = arrays["threshold"].astype(float, copy=False)
    arrays["threshold"][categorical] = np.nan
    for name, flags in (("split", categorical), ("missing", arrays["missing"])):
        if not flags.any():
            del arrays[name]
    return {**arrays, **_narrow(arrays), "roots": np.array(roots)}


def _narrow(arrays: dict[str, Array]) -> dict[str, Array]:
    """Return the features and distances in two bytes a number where these are enough."""
    feature, over = arrays["feature"], arrays["over"]
    few = -(2**15) <= feature.min() and feature.max() < 2**15
    return {
        "feature": feature.astype(np.int16 if few else np.int32),
        "over": over.astype(np.uint16 if over.max() < 2**16 else np.uint32),
    }


def _share_leaves(arrays: dict[str, Array]) -> None:
    """Keep leaves that are equal in several trees once, in `arrays` itself."""
    arrays["leaves"], which = _distinct(arrays["leaves"])
    is_leaf = arrays["feature"] < 0
    arrays["feature"][is_leaf] = ~which[~arrays["feature"][is_leaf]]


def _distinct(leaves: Array) -> tuple[Array, Array]:
    """Return the distinct rows of leaves, and for each leaf its row; a forest's leaves are mostly pure, so that few remain."""
    rows = np.ascontiguousarray(leaves, dtype=float)
    # compared as bytes: 0.0 and -0.0 are different leaves
    _, first, which = np.unique(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel(), True, True)
    return rows[first], which.astype(np.int32)


def _preorder(tree: Tree) -> Array:
    """Return the nodes' positions in preorder."""
    inner = np.flatnonzero(tree.left >= 0)
    if np.array_equal(tree.left[inner], inner + 1) and (tree.right[inner] > inner).all():
        return np.arange(len(tree.left))  # `sklearn.tree` grows them so, unless `max_leaf_nodes` is set
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        if tree.left[node] >= 0:
            stack += [int(tree.right[node]), int(tree.left[node])]
    return np.array(order)


def add_sum(
    trees: Iterable[Tree],
    x: Value,
    draft: Draft,
    base: Array,
    *,
    targets: Array | None = None,
    more: dict[str, Array] | None = None,
    **parameters: Any,
) -> Value:
    """Add one `trees.sum` over these trees.

    :param base: the numbers to which the leaves are added, one an output.
    :param targets: the output of each tree; None where each leaf has all outputs.
    :param more: further arrays of the op.
    :param parameters: the op's parameters.
    """
    arrays = {**flat(trees), "base": np.asarray(base, dtype=float), **(more or {})}
    if targets is not None and len(base) > 1:
        arrays["targets"] = targets
    if parameters["single"]:
        parameters["names"] = x.names
    _note_thresholds(arrays, x, draft)
    sums = draft.add("trees.sum", x, columns=len(base), arrays=arrays, **parameters)
    if parameters["single"]:
        draft.arrays[f"{sums.name}.threshold"] = _below(arrays["threshold"])
    return sums


def _below(threshold: Array) -> Array:
    """Return the largest float32 that is not above each threshold: the same numbers of float32 are at or below both."""
    with np.errstate(over="ignore"):
        single = threshold.astype(np.float32)
        return np.where(single > threshold, np.nextafter(single, np.float32(-np.inf)), single)


def _note_thresholds(arrays: dict[str, Array], x: Value, draft: Draft) -> None:
    """Note the thresholds of each column."""
    for position in range(len(x.columns)):
        draft.note_edges(x, position, np.unique(arrays["threshold"][arrays["feature"] == position]))


@converts(
    "sklearn.DecisionTreeClassifier",
    "sklearn.ExtraTreeClassifier",
    "sklearn.RandomForestClassifier",
    "sklearn.ExtraTreesClassifier",
    "imblearn.BalancedRandomForestClassifier",
)
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the trees' class shares; several outputs stand side by side."""
    widths = [int(count) for count in np.atleast_1d(estimator.n_classes_)]
    members = getattr(estimator, "estimators_", [estimator])
    trees = (
        of_sklearn(
            member, np.hstack([class_shares(member.tree_.value[:, output, :width]) for output, width in enumerate(widths)])
        )
        for member in members
    )
    shares = _mean(estimator, trees, x, draft, sum(widths))
    return {"index": draft.argmax(shares, widths), "probabilities": shares}


@converts(
    "sklearn.DecisionTreeRegressor",
    "sklearn.ExtraTreeRegressor",
    "sklearn.RandomForestRegressor",
    "sklearn.ExtraTreesRegressor",
)
def regressor(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the trees' values."""
    members = getattr(estimator, "estimators_", [estimator])
    trees = (of_sklearn(member, member.tree_.value[:, :, 0]) for member in members)
    return {"values": _mean(estimator, trees, x, draft, int(estimator.n_outputs_))}


def _mean(estimator: Any, trees: Iterable[Tree], x: Value, draft: Draft, width: int) -> Value:
    """Add the trees' mean, or the one tree's value."""
    mean = hasattr(estimator, "estimators_")
    divide: dict[str, Any] = {"divide": len(estimator.estimators_)} if mean else {}
    return add_sum(trees, x, draft, np.zeros(width), single=True, mean=mean, exact=True, **divide)
