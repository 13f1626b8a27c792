"""LiteRT for `ops.trees`: a walk by levels, in which every tree goes one node on, and a leaf stays where it is.

Children lie side by side. A node's test leads to the second one: `x >= the number above the threshold` where missing values go
left, `-x >= -threshold` where they go right, so that NaN, of which no comparison holds, takes the first. Leaves compare with NaN.
"""

from __future__ import annotations

import numpy as np

from flyweight.toolkit.exporting.forests import Array, Forest
from flyweight.toolkit.exporting.litert.flat import BOOL, FLOAT, INT, Flat
from flyweight.toolkit.exporting.planned import Step


def sum_(flat: Flat, step: Step, x: int) -> int:
    """Give the leaf of each tree, and leave their sum to the caller."""
    forest = Forest(step)
    if not (step.node.choice("single", (True, False)) and forest.has_single_thresholds):
        raise step.refuse("its thresholds are of float64, and LiteRT compares float32")
    if forest.categorical():
        raise step.refuse("its splits by category are not exported")
    if x != flat.input:
        raise step.refuse(
            "numbers are computed before the trees, and others in float32: train the trees on the features themselves"
        )
    if flat.leaves >= 0:
        raise step.refuse("several forests are not exported")
    flat.leaves = _walked(flat, forest, x)
    divide = step.node.whole("divide", 1, 1_000_000) if step.node.choice("mean", (True, False)) else 1
    base = np.array(step.node.floats("base", None))
    flat.tables = {"leaves": forest.values, "base": base, "targets": forest.targets, "divide": float(divide)}
    return flat.leaves


def _walked(flat: Flat, forest: Forest, x: int) -> int:
    """Add the operators of a walk, and return the tensor of the leaves' numbers, of shape (rows, trees)."""
    child, column, bound, leaf, depth = _layout(forest)
    count, width = forest.count, forest.width
    both = flat.add("CONCATENATION", [x, flat.add("NEG", [x], width)], 2 * width, options="ConcatenationOptions", axis=1)
    tables = {name: flat.constant(array, dtype) for name, array, dtype in _tables(child, column, bound, leaf)}
    # the first level is the same for every row: the roots are the first nodes
    first = flat.constant(column[:count], INT)
    v = flat.add("GATHER", [both, first], count, options="GatherOptions", axis=1)
    node = _stepped(flat, v, flat.constant(bound[:count]), flat.constant(child[:count], INT), count)
    for _ in range(depth - 1):
        at, limit, to = (
            flat.add("GATHER", [tables[name], node], count, dtype, "GatherOptions", axis=0)
            for name, dtype in (("column", INT), ("bound", FLOAT), ("child", INT))
        )
        v = flat.add("GATHER", [both, at], count, FLOAT, "GatherOptions", version=5, axis=1, batchDims=1)
        node = _stepped(flat, v, limit, to, count)
    return flat.add("GATHER", [tables["leaf"], node], count, INT, "GatherOptions", axis=0)


def _stepped(flat: Flat, v: int, bound: int, child: int, count: int) -> int:
    second = flat.add("GREATER_EQUAL", [v, bound], count, BOOL, "GreaterEqualOptions")
    one = flat.add("CAST", [second], count, INT, "CastOptions", inDataType=BOOL, outDataType=INT)
    return flat.add("ADD", [one, child], count, INT, "AddOptions")


def _tables(child: Array, column: Array, bound: Array, leaf: Array) -> list[tuple[str, Array, int]]:
    return [("child", child, INT), ("column", column, INT), ("bound", bound, FLOAT), ("leaf", leaf, INT)]


def _layout(forest: Forest) -> tuple[Array, Array, Array, Array, int]:
    """Return for each node its first child, its column in `[x, -x]`, its bound and its leaf; and the depth of all trees."""
    inner = np.flatnonzero(forest.feature >= 0)
    left, right = inner + 1, inner + 1 + forest.over[inner]
    swapped = forest.missing[inner] == 0
    pairs = np.column_stack([np.where(swapped, right, left), np.where(swapped, left, right)])
    nodes = np.concatenate([forest.roots, pairs.ravel()])  # where each node of this layout is in the file
    first = np.zeros(len(forest.feature), dtype=np.int64)
    first[inner] = forest.count + 2 * np.arange(len(inner))
    threshold = forest.threshold.astype(np.float32)
    is_leaf, goes_right = forest.feature[nodes] < 0, forest.missing[nodes] == 0
    above = np.nextafter(threshold, np.float32(np.inf))[nodes]
    bound = np.where(is_leaf, np.float32(np.nan), np.where(goes_right, -threshold[nodes], above))
    column = np.where(is_leaf, 0, forest.feature[nodes] + np.where(goes_right, forest.width, 0))
    child = np.where(is_leaf, np.arange(len(nodes)), first[nodes])
    leaf = np.where(is_leaf, ~forest.feature[nodes], 0)
    depth, level = 1, np.arange(forest.count)
    while True:
        below = child[level][~is_leaf[level]]
        level = np.concatenate([below, below + 1])
        if not len(level) or is_leaf[level].all():
            return child, column, bound, leaf, depth if len(level) else 1
        depth += 1


NODES = {"sum": sum_}
