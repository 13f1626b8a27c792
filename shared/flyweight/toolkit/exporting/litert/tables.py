"""Make answers of the leaves that a forest in LiteRT gives, in float64, in the order of the trees, as the model does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def answers(tables: Mapping[str, Array], leaves: Array) -> Array:
    """Add one leaf of each tree to `base`, and divide by `divide`.

    :param tables: `leaves` of shape (leaves, outputs or 1), `base` of shape (outputs,), `targets`, the output of each tree where
        leaves have one number, and `divide`.
    :param leaves: the numbers of the leaves, of shape (rows, trees).
    :returns: the sums, of shape (rows, outputs).
    """
    y = np.repeat(tables["base"][None, :], len(leaves), axis=0)
    wide = tables["leaves"].shape[1] == y.shape[1]
    for tree, target in enumerate(tables["targets"]):
        terms = tables["leaves"][leaves[:, tree]]
        y[:, slice(None) if wide else slice(target, target + 1)] += terms
    return y / tables["divide"]
