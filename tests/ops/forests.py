"""Make random forests by hand, and walk them as docs/model-file.md defines it."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
from hypothesis import strategies as st

from flyweight.models import file as model_file
from flyweight.ops import Node
from flyweight.ops.trees import Sum
from tests.ops.hostile import Arrays, raw

WIDTH, LEAVES, CATEGORIES = 4, 7, 6
VALUES = [math.nan, math.inf, -math.inf, -0.0, 0.0, 0.5, 1.0, 2.5, 3.0, 5.0, 6.0, 300.0, -1.0, 1e300]
THRESHOLDS = [math.inf, -math.inf, 0.0, -0.0, 0.5, 1.0, 2.5, float(np.nextafter(2.5, 3)), 5.0, float(np.finfo(np.float32).max)]


def grown(rng: random.Random, trees: int, *, single: bool = False, depth: int = 5, categorical: bool = False) -> Arrays:
    """Return random trees with every kind of split."""
    nodes: list[list[Any]] = []

    def grow(level: int) -> None:
        place = len(nodes)
        nodes.append([-1 - rng.randrange(LEAVES), 0.0, 0, 0, -1])
        if level and rng.random() < 0.8:
            grow(level - 1)
            over = len(nodes) - place - 1
            grow(level - 1)
            row = rng.randrange(5) if categorical and rng.random() < 0.4 else -1
            threshold = rng.choice([*THRESHOLDS, rng.gauss(0, 1)]) if row < 0 else math.nan
            nodes[place] = [rng.randrange(WIDTH), threshold, over, rng.randrange(2), row]

    roots = []
    for _ in range(trees):
        roots.append(len(nodes))
        grow(depth)
    columns = list(zip(*nodes, strict=True))
    with np.errstate(over="ignore"):
        arrays = {
            "feature": np.array(columns[0], dtype=rng.choice([np.int16, np.int32])),
            "threshold": np.array(columns[1], dtype=np.float32 if single else np.float64),
            "over": np.array(columns[2], dtype=rng.choice([np.uint16, np.uint32])),
            "roots": np.array(roots, dtype=np.int32),
            "leaves": np.array([[rng.gauss(0, 1)] for _ in range(LEAVES)]),
            "base": np.array([0.25]),
        }
    if rng.random() < 0.8:
        arrays["missing"] = np.array(columns[3], dtype=np.uint8)
    if categorical:
        arrays["split"] = np.array(columns[4], dtype=np.int16)
        arrays["goes_left"] = np.array([[rng.randrange(2) for _ in range(CATEGORIES)] for _ in range(5)], dtype=np.uint8)
    return arrays


def built(arrays: Arrays, **more: Any) -> Sum:
    """Return the op over these arrays, as it is read from a file."""
    spec = {"op": "trees.sum", "single": False, "mean": False, "exact": True, "arrays": {key: key for key in arrays}, **more}
    return Sum(Node(spec, ("n" * WIDTH,), model_file.parse(raw({"format": 1}, arrays)).tensors))


def by_definition(arrays: Arrays, x: list[float]) -> list[int]:
    """Return the leaves as docs/model-file.md defines them."""
    leaves = []
    for i in arrays["roots"].tolist():
        while arrays["feature"][i] >= 0:
            v = x[arrays["feature"][i]]
            row = arrays["split"][i] if "split" in arrays else -1
            if math.isnan(v) or (row >= 0 and not 0 <= v < CATEGORIES):
                left = "missing" in arrays and arrays["missing"][i] == 1
            elif row >= 0:
                left = arrays["goes_left"][row, int(v)] == 1
            else:
                left = v <= float(arrays["threshold"][i])
            i = i + 1 if left else i + 1 + int(arrays["over"][i])
        leaves.append(~int(arrays["feature"][i]))
    return leaves


forests = st.builds(
    lambda seed, trees, single, categorical: grown(random.Random(seed), trees, single=single, categorical=categorical),
    st.integers(0, 10**9),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
)
instances = st.lists(
    st.lists(st.one_of(st.sampled_from(VALUES), st.sampled_from(THRESHOLDS), st.floats()), min_size=WIDTH, max_size=WIDTH),
    min_size=1,
    max_size=6,
)
