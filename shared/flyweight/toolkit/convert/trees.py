"""Convert decision trees and forests, and write all trees in one flat form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value

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


def flat(trees: list[Tree]) -> dict[str, Array]:
    """Return the arrays of `trees.sum`: all trees one after the other in preorder, and each distinct leaf once."""
    parts: dict[str, list[Array]] = {key: [] for key in ("feature", "threshold", "over", "missing", "split", "leaves")}
    roots, start, leaves = [], 0, 0
    for tree in trees:
        order = _preorder(tree)
        place = np.empty(len(tree.left), dtype=np.int64)
        place[order] = np.arange(len(order))
        is_leaf = tree.left[order] < 0
        leaf = leaves + np.cumsum(is_leaf) - 1
        parts["feature"].append(np.where(is_leaf, ~leaf, tree.feature[order]))
        parts["threshold"].append(np.where(is_leaf, 0.0, tree.threshold[order]))
        parts["over"].append(np.where(is_leaf, 0, place[tree.right[order]] - np.arange(len(order)) - 1))
        parts["missing"].append(np.where(is_leaf, 0, tree.missing[order]).astype(np.uint8))
        parts["split"].append(np.full(len(order), -1) if tree.split is None else np.where(is_leaf, -1, tree.split[order]))
        parts["leaves"].append(tree.value[order][is_leaf])
        roots.append(start)
        start += len(order)
        leaves += int(is_leaf.sum())
    arrays = {key: np.concatenate(values) for key, values in parts.items()}
    _share_leaves(arrays)
    categorical = arrays["split"] >= 0
    arrays["threshold"] = np.where(categorical, np.nan, arrays["threshold"].astype(float))
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
    """Keep equal leaves once, in `arrays` itself; a forest's leaves are mostly pure, so that a handful remains."""
    rows = np.ascontiguousarray(arrays["leaves"], dtype=float)
    # compared as bytes: 0.0 and -0.0 are different leaves
    _, first, inverse = np.unique(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel(), True, True)
    is_leaf = arrays["feature"] < 0
    arrays["feature"][is_leaf] = ~inverse[~arrays["feature"][is_leaf]]
    arrays["leaves"] = rows[first]


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
    trees: list[Tree],
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
)
def classifier(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to the mean of the trees' class shares; several outputs stand side by side."""
    widths = [int(count) for count in np.atleast_1d(estimator.n_classes_)]
    members = getattr(estimator, "estimators_", [estimator])
    trees = [
        of_sklearn(member, np.hstack([member.tree_.value[:, output, :width] for output, width in enumerate(widths)]))
        for member in members
    ]
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
    trees = [of_sklearn(member, member.tree_.value[:, :, 0]) for member in members]
    return {"values": _mean(estimator, trees, x, draft, int(estimator.n_outputs_))}


def _mean(estimator: Any, trees: list[Tree], x: Value, draft: Draft, width: int) -> Value:
    """Add the trees' mean, or the one tree's value."""
    mean = hasattr(estimator, "estimators_")
    divide: dict[str, Any] = {"divide": len(trees)} if mean else {}
    return add_sum(trees, x, draft, np.zeros(width), single=True, mean=mean, exact=True, **divide)
