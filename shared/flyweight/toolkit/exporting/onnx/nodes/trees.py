"""ONNX for `ops.trees`: one TreeEnsemble that gives the number of each tree's leaf, then the leaves added in order.

The sum within TreeEnsemble takes another order with several threads; Gather and CumSum do not. The operator is that of
ai.onnx.ml 5, the only one with outputs of float64 (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html).
"""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from flyweight.toolkit.exporting.forests import Forest
from flyweight.toolkit.exporting.onnx.graph import Array, Graph
from flyweight.toolkit.exporting.planned import Step, Value


def sum_(graph: Graph, step: Step, x: Value) -> str:
    """Add one leaf of each tree to `base`, in the order of the trees."""
    numbers = x.numbers
    if step.node.choice("single", (True, False)):
        numbers = graph.single(numbers)
        numbers = graph.refusing(numbers, graph.add("IsInf", numbers))
    y = added(graph, step, numbers, np.float64)
    if not step.node.choice("mean", (True, False)):
        return y
    return graph.add("Div", y, float(step.node.whole("divide", 1, 1_000_000)))


def added(graph: Graph, step: Step, numbers: str, dtype: type) -> str:
    """Add the leaves of the step's trees in `dtype`, and return the sums in it."""
    forest = Forest(step)
    leaves: Array = forest.values.astype(dtype)
    base: Array = np.array(step.node.floats("base", None)).astype(dtype)
    ended = leaf_numbers(graph, forest, numbers)
    if leaves.shape[1] == len(base):
        terms = graph.add("Gather", leaves, ended, axis=0)  # (rows, trees, outputs)
        terms = graph.add("Concat", graph.repeated(base[None, None, :]), terms, axis=1)
        return graph.last_sum(terms, forest.count + 1)
    parts = []
    for output, first in enumerate(base):
        own = np.flatnonzero(forest.targets == output)
        terms = graph.repeated(np.array([[first]], dtype=dtype))
        if len(own):
            given = graph.add("Gather", leaves[:, 0], graph.columns(ended, own), axis=0)
            terms = graph.add("Concat", terms, given, axis=1)
        total = graph.last_sum(terms, len(own) + 1)
        parts.append(graph.add("Unsqueeze", total, np.array([1])))
    return graph.joined(parts)


def leaf_numbers(graph: Graph, forest: Forest, numbers: str) -> str:
    """Return the number of the leaf in which each tree ends, of shape (rows, trees)."""
    numbers = _with_categories(graph, forest, numbers)
    inner = forest.feature >= 0
    where = np.where(inner, np.cumsum(inner) - 1, np.cumsum(~inner) - 1)  # among the inner nodes, or among the leaves
    node = np.flatnonzero(inner)
    left, right = node + 1, node + 1 + forest.over[node]
    feature, threshold = forest.column[node], forest.threshold[node]
    missing, leaves = forest.missing[node], np.flatnonzero(~inner)
    children = [where[left], ~inner[left], where[right], ~inner[right]]
    # a tree of one leaf gets a split of which both sides lead there
    bare = np.flatnonzero(~inner[forest.roots])
    only = where[forest.roots[bare]]
    feature, threshold = np.append(feature, np.zeros(len(bare))), np.append(threshold, np.zeros(len(bare)))
    missing = np.append(missing, np.zeros(len(bare)))
    children = [np.append(own, more) for own, more in zip(children, (only, bare >= 0, only, bare >= 0), strict=True)]
    roots = where[forest.roots].copy()
    roots[bare] = len(node) + np.arange(len(bare))
    ended = graph.add(
        "TreeEnsemble",
        numbers,
        domain="ai.onnx.ml",
        n_targets=forest.count,
        aggregate_function=1,
        post_transform=0,
        tree_roots=_whole(roots),
        nodes_featureids=_whole(feature),
        nodes_modes=numpy_helper.from_array(np.zeros(len(feature), np.uint8), "modes"),
        nodes_splits=numpy_helper.from_array(threshold.astype(float), "splits"),
        nodes_missing_value_tracks_true=_whole(missing),
        nodes_truenodeids=_whole(children[0]),
        nodes_trueleafs=_whole(children[1]),
        nodes_falsenodeids=_whole(children[2]),
        nodes_falseleafs=_whole(children[3]),
        leaf_targetids=_whole(forest.tree_of(leaves)),
        leaf_weights=numpy_helper.from_array((~forest.feature[leaves]).astype(float), "leaves"),
    )
    return graph.whole(ended)


def _with_categories(graph: Graph, forest: Forest, numbers: str) -> str:
    """Append a column a categorical split: 0 for rows that go left there, 1 for others."""
    parts = [numbers]
    for feature, stays in forest.categorical():
        v = graph.columns(numbers, [feature])
        count = float(len(stays) - 1)
        known = graph.add("And", graph.add("GreaterOrEqual", v, 0.0), graph.add("Less", v, count))
        place = graph.whole(graph.add("Where", known, v, count))  # the last place is a missing value's
        rows = graph.add("Gather", stays, place, axis=0)  # (rows, 1, splits)
        parts.append(graph.add("Squeeze", rows, np.array([1])))
    return graph.joined(parts)


def _whole(values: Array) -> list[int]:
    listed: list[int] = values.astype(np.int64).tolist()
    return listed


NODES = {"sum": sum_}
