"""The trees of a plan's node as NumPy arrays, with categorical splits turned into columns of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.exporting.planned import Step

Array = np.ndarray[Any, Any]


class Forest:
    """The nodes of all trees, one tree after the other; docs/model-file.md describes `feature`, `threshold` and `over`.

    `missing`: 1 where a missing value goes left; `values`: the leaves, of shape (leaves, outputs or 1); `targets`: the output of
    each tree, where leaves have one number; `column`: the column that a node compares, which is beyond the features for a
    categorical split, whose `threshold` is then 0.5.
    """

    def __init__(self, step: Step) -> None:
        node, width = step.node, len(step.node.inputs[0])
        self.width = width
        self.feature = _array(node.array("feature", "I16 I32", (None,))).astype(np.int64)
        nodes = len(self.feature)
        thresholds = node.array("threshold", "F32 F64", (nodes,))
        self.has_single_thresholds = thresholds.dtype == "F32"
        self.threshold = _array(thresholds).astype(float)
        self.over = _array(node.array("over", "U16 U32", (nodes,))).astype(np.int64)
        self.missing = np.zeros(nodes, np.uint8)
        if node.has("missing"):
            self.missing[:] = _array(node.array("missing", "U8", (nodes,)))
        self.roots = np.array(node.indices("roots", nodes, None))
        self.count = len(self.roots)
        leaves = node.array("leaves", "F64", (None, None))
        self.values = _array(leaves).reshape(leaves.shape)
        own = node.has("targets")
        self.targets = np.array(node.indices("targets", step.width, self.count) if own else [0] * self.count)
        self.column = self.feature.copy()
        self._splits: list[tuple[int, Array]] = []
        if node.has("split"):
            self._read_categories(step, nodes)

    def _read_categories(self, step: Step, nodes: int) -> None:
        """Give each categorical split a column beyond the features, those of one feature side by side."""
        table = step.node.array("goes_left", "U8", (None, None))
        flags = _array(table).reshape(table.shape)
        split = _array(step.node.array("split", "I16 I32", (nodes,))).astype(np.int64)
        at, column = np.flatnonzero((split >= 0) & (self.feature >= 0)), self.width
        for feature in np.unique(self.feature[at]):
            own = at[self.feature[at] == feature]
            left = np.vstack([flags[split[own]].T, self.missing[own]])  # (categories and missing, splits)
            self._splits.append((int(feature), 1.0 - left))
            self.column[own] = column + np.arange(len(own))
            self.threshold[own], self.missing[own] = 0.5, 0
            column += len(own)

    def categorical(self) -> list[tuple[int, Array]]:
        """List the features with categorical splits, each with 0.0 where a category goes left.

        Of shape (categories + 1, splits); the last row is a missing value's.
        """
        return self._splits

    def tree_of(self, nodes: Array) -> Array:
        """Return the number of each node's tree."""
        return np.searchsorted(self.roots, nodes, side="right") - 1


def _array(tensor: Any) -> Array:
    return np.asarray(tensor.values)
