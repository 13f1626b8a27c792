"""Convert trees that encode rows (RandomTreesEmbedding)."""

from __future__ import annotations

from typing import Any

import numpy as np

from flyweight.toolkit.convert import converts
from flyweight.toolkit.convert.draft import Draft, Outputs, Value
from flyweight.toolkit.convert.trees import add_sum, of_sklearn


@converts("sklearn.RandomTreesEmbedding")
def random_trees(estimator: Any, x: Value, draft: Draft) -> Outputs:
    """Convert to a block a tree, with 1 at the leaf that the row ends in: each leaf gives its own number, then encoded."""
    members = estimator.estimators_
    trees = [of_sklearn(part, np.arange(part.tree_.node_count, dtype=float).reshape(-1, 1)) for part in members]
    count = len(trees)
    places = np.arange(count)
    leaves = add_sum(trees, x, draft, np.zeros(count), targets=places, single=True, mean=False, exact=True)
    known = [[int(leaf) for leaf in of_tree] for of_tree in estimator.one_hot_encoder_.categories_]
    widths = [len(of_tree) for of_tree in known]
    codes = [list(range(width)) for width in widths]
    tables: dict[str, Any] = {"categories": known, "codes": codes, "unseen": [-1] * count, "missing": [-1] * count}
    return {"transform": draft.add("encode.one_hot", leaves, columns=sum(widths), widths=widths, names=leaves.names, **tables)}
